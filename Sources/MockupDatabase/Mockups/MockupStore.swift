public import FoundationEssentials
internal import MockupCore
public import Postgres
public import TimeOrderedID

/// The store of mockups: requests, workers' leases and results.
///
/// Each change calls a function in `MockupSchema/SQL/Functions/mockups`, which changes the mockup
/// and the user's credits in one transaction.
public struct MockupStore: Sendable, DatabaseStore {
  typealias Failure = MockupError

  let pool: Pool
  let now: @Sendable () -> Date?
  let makeID: @Sendable () -> UUID
  let visits = PartitionVisits()
  let attemptEnds: BatchWriter<AttemptEnd, MockupRow>

  /// Creates a store.
  ///
  /// - Parameters:
  ///   - pool: The connections to the database.
  ///   - limits: The limits of the batches that coalesce workers' reports. A batch has 64 reports
  ///     at most.
  ///   - now: Returns the time, for tests; nil means the time of the database.
  ///   - makeID: A function that makes the ids of mockups, their reservations and ledger entries.
  ///   - observer: The observer of the batches; nil for none.
  public init(
    pool: Pool, limits: BatchLimits = BatchLimits(),
    now: @escaping @Sendable () -> Date? = { nil },
    makeID: @escaping @Sendable () -> UUID = { .timeOrdered() },
    observer: (any ChangeObserver)? = nil
  ) {
    self.pool = pool
    self.now = now
    self.makeID = makeID
    attemptEnds = BatchWriter(
      pool: pool, limits: limits.with(batch: min(limits.batch, AttemptEnd.maximumBatch)),
      observer: observer.map { (.mockups, $0) }
    ) { ends in
      AttemptEnd.statement(of: ends, now: now(), makeID: makeID)
    } read: { ends, rows throws(PostgresError) in
      try AttemptEnd.answers(to: ends, rows)
    }
  }

  /// A Boolean value that indicates whether one more report of a worker would be refused now,
  /// whichever its user is.
  ///
  /// It is true while the maximum number of reports (``BatchLimits/waiting``) wait in each
  /// partition.
  public var isFull: Bool { attemptEnds.isFull }

  /// The number of workers' reports that wait for a batch, by partition; one element if the
  /// database is not divided.
  public var waitingReports: [Int] { attemptEnds.waitingCounts }

  /// Runs a statement that writes and returns one row; see ``DatabaseStore/write(_:of:_:_:)``.
  func writeOne<Value: Sendable>(
    _ statement: Statement, of userID: UUID, _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(MockupError) -> Value {
    let rows = try await write(statement, of: userID, parameters, decode)
    guard let row = rows.first else { throw .database(.unexpectedAnswer("no row")) }
    return row
  }
}

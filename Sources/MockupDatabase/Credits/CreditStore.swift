public import FoundationEssentials
public import MockupCore
public import Postgres
public import TimeOrderedID

/// The store of reservations, the ledger and balances.
///
/// The functions in `MockupSchema/SQL/Functions/credits` make all decisions in the database, under
/// the lock on each user's counters. This type calls them.
///
/// The functions process batches, and return an outcome for each item, in the order of the
/// requests. A batch comes from a caller, or coalesces single changes that arrive together.
public struct CreditStore: Sendable, DatabaseStore {
  typealias Failure = CreditError

  let pool: Pool
  let now: @Sendable () -> Date?
  let makeID: @Sendable () -> UUID
  let writer: CreditWriter
  private let observer: (any ChangeObserver)?

  /// Creates a store.
  ///
  /// - Parameters:
  ///   - pool: The connections to the database.
  ///   - limits: The limits of the batches that coalesce single changes.
  ///   - now: Returns the time, for tests; nil means the time of the database.
  ///   - makeID: A function that makes the ids of ledger entries.
  ///   - observer: The observer of batches and of answers; nil for none.
  public init(
    pool: Pool, limits: BatchLimits = BatchLimits(),
    now: @escaping @Sendable () -> Date? = { nil },
    makeID: @escaping @Sendable () -> UUID = { .timeOrdered() },
    observer: (any ChangeObserver)? = nil
  ) {
    self.pool = pool
    self.now = now
    self.makeID = makeID
    self.observer = observer
    writer = CreditWriter(
      pool: pool, limits: limits, now: now, makeID: makeID, observer: observer)
  }

  /// A Boolean value that indicates whether another single change would be refused now.
  ///
  /// It is true while the maximum number of changes (``BatchLimits/waiting``) wait for a batch.
  public var isFull: Bool { writer.isFull }

  /// The number of single changes that wait for a batch.
  public var waitingChanges: Int { writer.waitingCount }

  /// Reserves credits for a user, and passes the result to a completion when it is durable.
  ///
  /// The completion runs once, on the thread of a connection, and must not block: it delays
  /// everything else on that connection.
  ///
  /// - Returns: A cancellation handler. A cancelled request may have had its effect.
  /// - Throws: ``CreditError/database(_:)`` if too many changes wait; the completion does not run
  ///   then.
  public func reserve(
    _ request: ReservationRequest,
    completion: @escaping @Sendable (Result<ReservationOutcome, CreditError>) -> Void
  ) throws(CreditError) -> @Sendable () -> Void {
    try writer.submit(request, completion: completion)
  }

  /// Dispatches, extends, commits or releases a reservation; see ``reserve(_:completion:)``.
  public func settle(
    _ settlement: Settlement,
    completion: @escaping @Sendable (Result<SettlementOutcome, CreditError>) -> Void
  ) throws(CreditError) -> @Sendable () -> Void {
    try writer.submit(settlement, completion: completion)
  }

  /// Refunds credits of a charge; see ``reserve(_:completion:)``.
  public func refund(
    _ refund: Refund,
    completion: @escaping @Sendable (Result<RefundOutcome, CreditError>) -> Void
  ) throws(CreditError) -> @Sendable () -> Void {
    try writer.submit(refund, completion: completion)
  }

  /// Writes a caller's batch of changes in a transaction of its own.
  ///
  /// The changes are durable when the call returns.
  ///
  /// - Parameters:
  ///   - changes: The changes, which are processed in order.
  ///   - allOrNothing: If true, the transaction is rolled back unless every item succeeds, and the
  ///     successful items get ``CreditError/batchFailed``.
  ///   - isSuccess: Returns false for an outcome that counts as a failure.
  func write<Change: CreditChange>(
    _ changes: [Change], allOrNothing: Bool = false,
    isSuccess: (Change.Outcome) -> Bool = { _ in true }
  ) async throws(PostgresError) -> [Result<Change.Outcome, CreditError>] {
    let parameters = Change.parameters(changes, now: now(), makeID: makeID)
    func make(
      in database: any StatementExecutor
    ) async throws(PostgresError) -> [Result<Change.Outcome, CreditError>] {
      let answers = try await database.query(Change.statement, parameters, Change.Answer.init)
      return try Change.outcomes(of: changes, answers, observer)
    }
    return try await retrying(on: pool) { pool throws(PostgresError) in
      guard allOrNothing else { return try await make(in: pool) }
      return try await pool.withTransaction { transaction throws(PostgresError) in
        let outcomes = try await make(in: transaction)
        func isDone(_ outcome: Result<Change.Outcome, CreditError>) -> Bool {
          if case .success(let outcome) = outcome { isSuccess(outcome) } else { false }
        }
        if outcomes.allSatisfy(isDone) { return outcomes }
        transaction.rollback()
        return outcomes.map { isDone($0) ? .failure(.batchFailed) : $0 }
      }
    }
  }
}

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
  let batches: BatchWriter<PendingChange, PendingChange.Delivery>
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
    batches = BatchWriter(
      pool: pool, limits: limits, observer: observer.map { (.credits, $0) }
    ) { changes in
      PendingChange.statement(of: changes, now: now, makeID: makeID)
    } read: { changes, rows throws(PostgresError) in
      try PendingChange.deliveries(of: changes, rows, observer)
    }
  }

  /// A Boolean value that indicates whether one more single change would be refused now, whichever
  /// its user is.
  ///
  /// It is true while the maximum number of changes (``BatchLimits/waiting``) wait in each
  /// partition.
  public var isFull: Bool { batches.isFull }

  /// The number of single changes that wait for a batch, by partition; one element if the database
  /// is not divided.
  public var waitingChanges: [Int] { batches.waitingCounts }

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
    try submit(request, completion: completion)
  }

  /// Dispatches, extends, commits or releases a reservation; see ``reserve(_:completion:)``.
  public func settle(
    _ settlement: Settlement,
    completion: @escaping @Sendable (Result<SettlementOutcome, CreditError>) -> Void
  ) throws(CreditError) -> @Sendable () -> Void {
    try submit(settlement, completion: completion)
  }

  /// Refunds credits of a charge; see ``reserve(_:completion:)``.
  public func refund(
    _ refund: Refund,
    completion: @escaping @Sendable (Result<RefundOutcome, CreditError>) -> Void
  ) throws(CreditError) -> @Sendable () -> Void {
    try submit(refund, completion: completion)
  }

  /// Makes a change in the next batch, and passes its outcome to a completion; see ``BatchQueue``.
  private func submit<Change: CreditChange>(
    _ change: Change, completion: @escaping Change.Completion
  ) throws(CreditError) -> @Sendable () -> Void {
    let pending = Pending(change, completion)
    do throws(PostgresError) {
      return try batches.submit(Change.pendingChange(pending)) { result in
        switch result {
        case .success(let deliver): deliver()
        case .failure(let error): pending.completion(.failure(.database(error)))
        }
      }
    } catch {
      throw .database(error)
    }
  }

  /// Writes a caller's batch of changes in a transaction of its own.
  ///
  /// The changes are durable when the call returns. If the users belong to several partitions, each
  /// partition has a transaction of its own, unless all changes are made or none.
  ///
  /// - Parameters:
  ///   - changes: The changes, which are processed in order.
  ///   - allOrNothing: If true, nothing is written unless every item succeeds, and the successful
  ///     items get ``CreditError/batchFailed``.
  /// - Throws: ``PostgresError``, of which ``PostgresError/spansPartitions`` is true if all changes
  ///   or none should be made and the users belong to several partitions. If a partition fails
  ///   temporarily after others have written their changes, the code is
  ///   ``PostgresError/Code/connectionLost``.
  func write<Change: CreditChange>(
    _ changes: [Change], allOrNothing: Bool = false
  ) async throws(PostgresError) -> [Result<Change.Outcome, CreditError>] {
    let allOrNothingStatement = allOrNothing ? Change.allOrNothingStatement : nil
    let time = now()
    func send(_ changes: [Change]) async throws(PostgresError) -> [Change.Answer] {
      let parameters = Change.parameters(changes, now: time, makeID: makeID)
      let lane = pool.partition(of: changes.lazy.map(\.userID))
      return try await retrying(on: lane) { pool throws(PostgresError) in
        try await pool.query(
          allOrNothingStatement ?? Change.statement, parameters, Change.Answer.init)
      }
    }
    var answers: [Change.Answer]
    do throws(PostgresError) {
      // Most batches are about users of one partition. The proxy refuses the others.
      answers = try await send(changes)
    } catch {
      guard error.spansPartitions, allOrNothingStatement == nil else { throw error }
      var answersByIndex: [Int: Change.Answer] = [:]
      let count = try await pool.partitionCount()
      for (_, indices) in indicesByPartition(changes.map(\.userID), of: count) {
        let part: [Change.Answer]
        do throws(PostgresError) {
          part = try await send(indices.map { changes[$0] })
        } catch {
          throw answersByIndex.isEmpty ? error : error.afterPartialWrite
        }
        guard part.count == indices.count else { throw .unexpectedAnswer("\(Change.self)") }
        for (index, answer) in zip(indices, part) { answersByIndex[index] = answer }
      }
      answers = changes.indices.compactMap { answersByIndex[$0] }
    }
    try Change.check(answers, to: changes, observer)
    let allFail = allOrNothingStatement != nil && !answers.allSatisfy(\.isSuccess)
    return zip(changes, answers).map { change, answer in
      allFail && answer.isSuccess ? .failure(.batchFailed) : answer.outcome(of: change)
    }
  }
}

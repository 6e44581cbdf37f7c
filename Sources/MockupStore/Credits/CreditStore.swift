public import FoundationEssentials
public import Mockups
public import Postgres
public import TimeOrderedID

/// The store of reservations, the ledger and balances.
///
/// Decisions are made in the database, under the lock on each user's counters, by the functions of
/// `MockupSchema/SQL/Functions/credits`; this type calls them with values. They take batches, of which
/// each item has an outcome of its own, in the order of the requests: batches that callers make, and
/// batches of single changes that arrive together.
public struct CreditStore: Sendable {
  let pool: Pool
  let now: @Sendable () -> Date
  let makeID: @Sendable () -> UUID
  let writer: CreditWriter

  /// - Parameters:
  ///   - limits: How single changes are gathered into batches.
  ///   - now: The clock by which credits are reserved and expire.
  ///   - makeID: Makes the ids of ledger rows.
  public init(
    pool: Pool, limits: BatchLimits = BatchLimits(),
    now: @escaping @Sendable () -> Date = { Date() },
    makeID: @escaping @Sendable () -> UUID = { .timeOrdered() }
  ) {
    self.pool = pool
    self.now = now
    self.makeID = makeID
    writer = CreditWriter(pool: pool, limits: limits, now: now, makeID: makeID)
  }

  /// Whether as many single changes wait as may: one more would be refused now.
  public var isFull: Bool { writer.isFull }

  /// Sets credits aside, together with what else has gathered, and tells a completion once that is durable.
  /// It runs on a connection's thread, and holds up everything else there.
  ///
  /// - Returns: What gives the request up, which may have had its effect all the same.
  /// - Throws: ``CreditError/database(_:)`` where too many wait already; the completion does not run then.
  public func reserve(
    _ request: ReservationRequest,
    completion: @escaping @Sendable (Result<ReservationOutcome, CreditError>) -> Void
  ) throws(CreditError) -> @Sendable () -> Void {
    try writer.submit(request, completion: completion)
  }

  /// Does one thing to one reservation; as ``reserve(_:completion:)``.
  public func settle(
    _ settlement: Settlement,
    completion: @escaping @Sendable (Result<SettlementOutcome, CreditError>) -> Void
  ) throws(CreditError) -> @Sendable () -> Void {
    try writer.submit(settlement, completion: completion)
  }

  /// Gives back credits that were spent; as ``reserve(_:completion:)``.
  public func refund(
    _ refund: Refund,
    completion: @escaping @Sendable (Result<RefundOutcome, CreditError>) -> Void
  ) throws(CreditError) -> @Sendable () -> Void {
    try writer.submit(refund, completion: completion)
  }

  /// Makes changes that came as a batch, in a transaction of their own; durable when it returns.
  ///
  /// - Parameters:
  ///   - allOrNothing: Whether it is rolled back unless every item did what it was to do. Those that
  ///     did have failed then as well.
  ///   - didAll: Whether an item that has not failed did what it was to do.
  func write<Change: CreditChange>(
    _ changes: [Change], allOrNothing: Bool = false,
    didAll: (Change.Outcome) -> Bool = { _ in true }
  ) async throws(PostgresError) -> [Result<Change.Outcome, CreditError>] {
    let parameters = Change.parameters(changes, now: now(), makeID: makeID)
    func make(
      in database: any StatementExecutor
    ) async throws(PostgresError) -> [Result<Change.Outcome, CreditError>] {
      let answers = try await database.query(Change.statement, parameters, Change.Answer.init)
      return try Change.outcomes(of: changes, answers)
    }
    return try await retrying { () throws(PostgresError) in
      guard allOrNothing else { return try await make(in: pool) }
      return try await pool.withTransaction { transaction throws(PostgresError) in
        let outcomes = try await make(in: transaction)
        func isDone(_ outcome: Result<Change.Outcome, CreditError>) -> Bool {
          if case .success(let outcome) = outcome { didAll(outcome) } else { false }
        }
        if outcomes.allSatisfy(isDone) { return outcomes }
        transaction.rollback()
        return outcomes.map { isDone($0) ? .failure(.batchFailed) : $0 }
      }
    }
  }
}

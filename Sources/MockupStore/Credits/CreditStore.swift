public import FoundationEssentials
internal import Mockups
public import Postgres

/// The books: reservations, the ledger, and what is left.
///
/// Decisions are made in the database, under the lock of each user's counters, by the functions of
/// `009_credit_engine.sql`; this type speaks to them in values. Every change takes a batch, of which
/// each item has an outcome of its own, in the order of the requests.
public struct CreditStore: Sendable {
  let pool: Pool
  let now: @Sendable () -> Date
  let makeID: @Sendable () -> UUID

  /// - Parameters:
  ///   - now: The clock by which credits are reserved and expire.
  ///   - makeID: Makes the ids of ledger rows.
  public init(
    pool: Pool, now: @escaping @Sendable () -> Date = { Date() },
    makeID: @escaping @Sendable () -> UUID = { UUID() }
  ) {
    self.pool = pool
    self.now = now
    self.makeID = makeID
  }

  /// Runs a batch, in a transaction of its own.
  ///
  /// - Parameters:
  ///   - allOrNothing: Whether it is rolled back unless every item did what it was to do. Those that
  ///     did have failed then as well.
  ///   - didAll: Whether an item that has not failed did what it was to do.
  func writing<Outcome: Sendable>(
    allOrNothing: Bool,
    _ batch: (any StatementExecutor) async throws(PostgresError) -> [Result<Outcome, CreditError>],
    didAll: (Outcome) -> Bool = { _ in true }
  ) async throws(PostgresError) -> [Result<Outcome, CreditError>] {
    try await retrying { () throws(PostgresError) in
      guard allOrNothing else { return try await batch(pool) }
      return try await pool.withTransaction { transaction throws(PostgresError) in
        let outcomes = try await batch(transaction)
        func isDone(_ outcome: Result<Outcome, CreditError>) -> Bool {
          if case .success(let outcome) = outcome { didAll(outcome) } else { false }
        }
        if outcomes.allSatisfy(isDone) { return outcomes }
        transaction.rollback()
        return outcomes.map { isDone($0) ? .failure(.batchFailed) : $0 }
      }
    }
  }
}

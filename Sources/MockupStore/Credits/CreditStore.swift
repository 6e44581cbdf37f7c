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
}

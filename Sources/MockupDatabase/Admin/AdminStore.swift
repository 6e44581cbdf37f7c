public import FoundationEssentials
internal import MockupCore
public import Postgres
public import TimeOrderedID

/// The store of administrative operations on the credits of all users.
public struct AdminStore: Sendable, DatabaseStore {
  typealias Failure = CreditError

  let pool: Pool
  let now: @Sendable () -> Date?
  let makeID: @Sendable () -> UUID

  /// Creates a store.
  ///
  /// - Parameters:
  ///   - pool: The connections to the database.
  ///   - now: Returns the time, for tests; nil means the time of the database.
  ///   - makeID: A function that makes the ids of ledger entries.
  public init(
    pool: Pool, now: @escaping @Sendable () -> Date? = { nil },
    makeID: @escaping @Sendable () -> UUID = { .timeOrdered() }
  ) {
    self.pool = pool
    self.now = now
    self.makeID = makeID
  }
}

public import FoundationEssentials
internal import Postgres

/// The totals of the credits of all users in the current year, and the work that waits.
///
/// The users are those who have used or reserved credits in the year (UTC). Reservations that are
/// due, and that no sweep has expired yet, still count as held.
public struct CreditTotals: Sendable, Hashable {
  /// The number of users.
  public var users: Int64
  /// The sum of their annual budgets, in credits.
  public var annualBudget: Int64
  /// The credits used: generations and regenerations, minus refunds.
  public var used: Int64
  /// The credits that open reservations hold.
  public var held: Int64
  /// The number of users whose current month has passed the soft limit.
  public var usersAboveSoftLimit: Int64
  /// The number of users who have no credits available.
  public var usersExhausted: Int64
  /// The number of reservations that are held or dispatched.
  public var openReservations: Int64
  /// The number of unresolved reservations of all years, for which the vendor may have charged.
  public var unresolvedReservations: Int64
  /// The expiry of the unresolved reservation that expired first; nil if there is none.
  public var oldestUnresolvedAt: Date?
  /// The number of mockups that wait for a worker.
  public var pendingMockups: Int64
  /// The time of the request for the mockup that waits longest; nil if there is none.
  public var oldestPendingAt: Date?
  /// The number of mockups that workers have leased.
  public var leasedMockups: Int64
  /// The time when the totals were read, by the database's clock.
  public var readAt: Date
}

extension AdminStore {
  /// Reads the totals of the credits of all users.
  ///
  /// The statement reads the counters, the settings of users and small indexes, but not the ledger,
  /// so that it can run every few seconds.
  public func totals() async throws(CreditError) -> CreditTotals {
    let totals = try await read(Queries.getCreditTotals, Parameters(now())) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      return CreditTotals(
        users: try columns.read(), annualBudget: try columns.read(), used: try columns.read(),
        held: try columns.read(), usersAboveSoftLimit: try columns.read(),
        usersExhausted: try columns.read(), openReservations: try columns.read(),
        unresolvedReservations: try columns.read(), oldestUnresolvedAt: try columns.read(),
        pendingMockups: try columns.read(), oldestPendingAt: try columns.read(),
        leasedMockups: try columns.read(), readAt: try columns.read())
    }
    guard let totals = totals.first else { throw .database(.unexpectedAnswer("totals")) }
    return totals
  }
}

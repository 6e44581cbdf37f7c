public import FoundationEssentials
public import Postgres

/// Does what is due and what nobody has touched: a batch at a time, and never waiting for who is at
/// work on the same users. Any number of servers may sweep one database.
public struct SweepStore: Sendable {
  private let pool: Pool
  private let now: @Sendable () -> Date

  /// - Parameter now: The clock by which it is due.
  public init(pool: Pool, now: @escaping @Sendable () -> Date = { Date() }) {
    self.pool = pool
    self.now = now
  }

  /// Expires reservations whose time has passed.
  ///
  /// - Parameter limit: Of how many users' years at a time; all that is due in them goes.
  /// - Returns: How many there were; 0 where there is nothing to do just now.
  public func sweepReservations(limit: Int32) async throws(PostgresError) -> Int {
    try await sweep(Queries.sweepReservations, limit)
  }

  /// Ends the leases of workers that were not heard of: their mockups wait for another, or have failed
  /// often enough.
  ///
  /// - Returns: How many there were; 0 where there is nothing to do just now.
  public func sweepLeases(limit: Int32) async throws(PostgresError) -> Int {
    try await sweep(Queries.sweepLeases, limit)
  }

  private func sweep(_ statement: Statement, _ limit: Int32) async throws(PostgresError) -> Int {
    let counts = try await pool.query(statement, Parameters(now(), limit)) {
      row throws(PostgresError) in
      Int(try row.decode(Int32.self, at: 0))
    }
    return counts.reduce(0, +)
  }
}

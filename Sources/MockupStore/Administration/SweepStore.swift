public import FoundationEssentials
public import Postgres

/// Expires what is due and what nobody has touched, one batch a transaction. It never waits for
/// transactions that work on the same users. Any number of servers may sweep one database.
public struct SweepStore: Sendable {
  private let pool: Pool
  private let now: @Sendable () -> Date

  /// - Parameter now: The clock by which it is due.
  public init(pool: Pool, now: @escaping @Sendable () -> Date = { Date() }) {
    self.pool = pool
    self.now = now
  }

  /// Expires a batch of reservations, those that have been due longest first.
  ///
  /// - Parameters:
  ///   - cursor: Where the last batch of the same sweep ended; `nil` begins a sweep.
  ///   - limit: How many users' years to examine at most; all that is due in them expires.
  public func sweepReservations(
    after cursor: Date? = nil, limit: Int32
  ) async throws(PostgresError) -> SweepBatch {
    let batches = try await pool.query(
      Queries.sweepReservations, Parameters(now(), cursor, limit)
    ) { row throws(PostgresError) in
      var columns = ColumnReader(row)
      return SweepBatch(
        examined: Int(try columns.read(Int32.self)), expired: Int(try columns.read(Int64.self)),
        cursor: try columns.read())
    }
    return batches.first ?? SweepBatch(examined: 0, expired: 0, cursor: nil)
  }

  /// Ends a batch of leases whose workers have not reported in time: their mockups are pending again, or
  /// fail after the last attempt.
  ///
  /// - Parameter limit: How many leases at most.
  public func sweepLeases(limit: Int32) async throws(PostgresError) -> SweepBatch {
    let counts = try await pool.query(Queries.sweepLeases, Parameters(now(), limit)) {
      row throws(PostgresError) in
      Int(try row.decode(Int32.self, at: 0))
    }
    let count = counts.first ?? 0
    return SweepBatch(examined: count, expired: count, cursor: nil)
  }
}

/// The result of one transaction of a sweep.
public struct SweepBatch: Sendable, Hashable {
  /// The number of users' years or leases that it examined; 0 if nothing else is due and unlocked. Many
  /// a year has nothing to expire, because its reservations were settled in time.
  public var examined: Int
  /// The number of reservations or leases that it expired.
  public var expired: Int
  /// The position from which the next batch of the sweep continues.
  public var cursor: Date?
}

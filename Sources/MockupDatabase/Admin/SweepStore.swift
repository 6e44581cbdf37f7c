public import FoundationEssentials
public import Postgres

/// The store that expires due reservations and leases, one batch in each transaction.
///
/// A sweep skips rows that are locked, and never waits for other transactions. Any number of
/// servers may sweep the same database.
///
/// Through a proxy database, a sweep has a transaction in each partition, and leaves out partitions
/// that are unavailable.
public struct SweepStore: Sendable {
  private let pool: Pool
  private let now: @Sendable () -> Date?
  private let visits = PartitionVisits()

  /// Creates a store.
  ///
  /// - Parameters:
  ///   - pool: The connections to the database.
  ///   - now: Returns the time, for tests; nil means the time of the database.
  public init(pool: Pool, now: @escaping @Sendable () -> Date? = { nil }) {
    self.pool = pool
    self.now = now
  }

  /// Expires a batch of due reservations, starting with those that were due first.
  ///
  /// - Parameters:
  ///   - cursor: The ``SweepBatch/cursor`` of the previous batch; nil starts a sweep.
  ///   - limit: The maximum number of counters to examine, each of a user and a year. All due
  ///     reservations of these users and years expire.
  public func sweepReservations(
    after cursor: Date? = nil, limit: Int32
  ) async throws(PostgresError) -> SweepBatch {
    let now = now()
    let batches = try await visits.visit(pool) { lane, partition throws(PostgresError) in
      try await lane.query(
        Queries.sweepReservations, Parameters(now, cursor, limit, partition)
      ) { row throws(PostgresError) in
        var columns = ColumnReader(row)
        return SweepBatch(
          examined: Int(try columns.read(Int32.self)), expired: Int(try columns.read(Int64.self)),
          cursor: try columns.read())
      }
    }
    return SweepBatch(batches.flatMap(\.self))
  }

  /// Ends a batch of expired leases.
  ///
  /// Their mockups become pending again, or fail if that was the last attempt.
  ///
  /// - Parameter limit: The maximum number of leases.
  public func sweepLeases(limit: Int32) async throws(PostgresError) -> SweepBatch {
    let now = now()
    let counts = try await visits.visit(pool) { lane, partition throws(PostgresError) in
      try await lane.query(Queries.expireLeases, Parameters(now, limit, partition)) {
        row throws(PostgresError) in
        Int(try row.decode(Int32.self, at: 0))
      }
    }
    let count = counts.flatMap(\.self).reduce(0, +)
    return SweepBatch(examined: count, expired: count, cursor: nil)
  }
}

/// The result of one transaction of a sweep.
public struct SweepBatch: Sendable, Hashable {
  /// The number of counters or leases that were examined.
  ///
  /// It is 0 if nothing is due, except counters or leases that another session has locked. Most
  /// counters have nothing to expire, because their reservations were settled in time.
  public var examined: Int
  /// The number of reservations or leases that expired.
  public var expired: Int
  /// The position from which the next batch continues, or nil for leases and at the end.
  public var cursor: Date?
}

extension SweepBatch {
  /// Merges the results of several partitions.
  fileprivate init(_ batches: [SweepBatch]) {
    self.init(
      examined: batches.reduce(0) { $0 + $1.examined },
      expired: batches.reduce(0) { $0 + $1.expired },
      // The next call must not skip what a partition has left over, so the earliest time counts.
      cursor: batches.compactMap(\.cursor).min())
  }
}

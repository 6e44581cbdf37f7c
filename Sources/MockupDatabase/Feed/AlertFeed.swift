public import FoundationEssentials
public import Postgres

/// The fact that a user's used and held credits have reached a threshold.
public struct Alert: Sendable, Hashable {
  /// The number of the alert, which is unique.
  ///
  /// It increases from one alert of a partition to the next. In a database that is not divided, it
  /// is the position.
  public var id: Int64
  /// The partition of a proxy database; otherwise 0.
  public var partition: Int
  /// The position among the alerts of the partition, from 1.
  public var position: Int64
  /// The id of the user.
  public var userID: UUID
  /// The label of the user, such as an e-mail address; nil if there is none.
  public var userLabel: String?
  /// The threshold in percent: 50, 80, 90 or 100.
  public var threshold: Int32
  /// The year.
  public var year: Int32
  /// The month of which the soft limit is meant; nil if the annual budget is meant.
  public var month: Int32?
  /// The used and held credits in the year or month.
  public var credits: Int64
  /// The annual budget or the monthly soft limit.
  public var limit: Int32
  /// The time at which the threshold was reached, by the database's clock.
  public var createdAt: Date
}

/// The alerts about all users' credits, in the order in which they were written.
///
/// Through a proxy database, each partition has an order of its own.
///
/// See `018_alerts.sql`.
public struct AlertFeed: Sendable {
  /// The notification channel of the feed, on which PostgreSQL reports that alerts were written.
  public static let channel = "mockupd_alerts"

  private let pool: Pool

  /// Creates a feed that reads from the pool's database.
  public init(pool: Pool) {
    self.pool = pool
  }

  /// Returns the number of partitions; 1 in a database that is not divided.
  public func partitionCount() async throws(PostgresError) -> Int {
    try await pool.partitionCount()
  }

  /// Returns the number of a user's partition; 0 in a database that is not divided.
  public func partition(of userID: UUID) async throws(PostgresError) -> Int {
    userID.partition(of: try await pool.partitionCount())
  }

  /// Returns the position of the last alert in a partition; 0 if there was none.
  public func lastPosition(in partition: Int = 0) async throws(PostgresError) -> Int64 {
    let rows = try await pool.lane(partition).query(
      Queries.getAlertFeed, Parameters(Int32(partition))
    ) { row throws(PostgresError) in
      try row.decode(Int64.self, at: 0)
    }
    return rows.first ?? 0
  }

  /// Returns the alerts of a partition after a position, in order.
  ///
  /// - Parameters:
  ///   - position: The position of the last alert that the caller has; 0 means the beginning.
  ///   - partition: The partition.
  ///   - count: The maximum number of alerts.
  public func alerts(
    after position: Int64, in partition: Int = 0, count: Int32
  ) async throws(PostgresError) -> [Alert] {
    let partitions = try await pool.partitionCount()
    return try await pool.lane(partition).query(
      Queries.watchAlerts, Parameters(position, count, Int32(partition))
    ) { row throws(PostgresError) in
      try Alert(row, partition, of: partitions)
    }
  }

  /// Returns the alerts of one user before a position, the newest first.
  ///
  /// - Parameters:
  ///   - userID: The user.
  ///   - position: The position of the last alert of the previous page; nil means the first page.
  ///   - count: The maximum number of alerts.
  public func alerts(
    of userID: UUID, before position: Int64?, count: Int32
  ) async throws(PostgresError) -> [Alert] {
    try await alerts(
      of: userID, before: position, in: try await partition(of: userID), count: count)
  }

  /// Returns the alerts of all users before a position in each partition, the newest first.
  ///
  /// The alerts of one partition are in the order of their positions, and those of several are
  /// merged by their times.
  ///
  /// - Parameters:
  ///   - positions: The position in each partition, as ``positions(after:from:)`` returns them;
  ///     nil means the first page.
  ///   - count: The maximum number of alerts.
  public func alerts(
    before positions: [Int64]?, count: Int32
  ) async throws(PostgresError) -> [Alert] {
    let partitions = try await pool.partitionCount()
    var rest: [ArraySlice<Alert>] = []
    for partition in 0..<partitions {
      rest.append(
        try await alerts(of: nil, before: positions?[partition], in: partition, count: count)[...])
    }
    var page: [Alert] = []
    while page.count < Int(count) {
      let next = rest.compactMap(\.first).max {
        ($0.createdAt, -$0.partition) < ($1.createdAt, -$1.partition)
      }
      guard let next else { break }
      page.append(next)
      rest[next.partition].removeFirst()
    }
    return page
  }

  /// Returns the position in each partition after alerts of ``alerts(before:count:)``.
  ///
  /// - Parameters:
  ///   - alerts: The alerts of a page, up to the last one that the caller has used.
  ///   - positions: The positions before which the page started; nil for the first page.
  public func positions(
    after alerts: some Sequence<Alert>, from positions: [Int64]?
  ) -> [Int64] {
    var positions =
      positions ?? Array(repeating: .max, count: pool.knownPartitionCount)
    for alert in alerts { positions[alert.partition] = alert.position }
    return positions
  }

  private func alerts(
    of userID: UUID?, before position: Int64?, in partition: Int, count: Int32
  ) async throws(PostgresError) -> [Alert] {
    let partitions = try await pool.partitionCount()
    return try await pool.lane(partition).query(
      Queries.listAlerts, Parameters(userID, position, count, Int32(partition))
    ) { row throws(PostgresError) in
      try Alert(row, partition, of: partitions)
    }
  }
}

extension Alert {
  fileprivate init(_ row: Row, _ partition: Int, of partitions: Int) throws(PostgresError) {
    var columns = ColumnReader(row)
    let position = try columns.read(Int64.self)
    self.init(
      id: position * Int64(partitions) + Int64(partition), partition: partition,
      position: position, userID: try columns.read(), userLabel: try columns.read(),
      threshold: try columns.read(), year: try columns.read(), month: try columns.read(),
      credits: try columns.read(), limit: try columns.read(), createdAt: try columns.read())
  }
}

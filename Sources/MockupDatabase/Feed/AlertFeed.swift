public import FoundationEssentials
public import Postgres

/// The fact that a user's used and held credits have reached a threshold.
public struct Alert: Sendable, Hashable {
  /// The position among all alerts.
  public var id: Int64
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
/// See `018_alerts.sql`.
public struct AlertFeed: Sendable {
  /// The notification channel of the feed, on which PostgreSQL reports that alerts were written.
  public static let channel = "mockupd_alerts"

  private let pool: Pool

  /// Creates a feed that reads from the pool's database.
  public init(pool: Pool) {
    self.pool = pool
  }

  /// Returns the id of the last alert; 0 if there was none.
  public func lastID() async throws(PostgresError) -> Int64 {
    let rows = try await pool.query(Queries.getAlertFeed) { row throws(PostgresError) in
      try row.decode(Int64.self, at: 0)
    }
    return rows.first ?? 0
  }

  /// Returns the alerts after one, in the order of their ids.
  ///
  /// - Parameters:
  ///   - id: The id of the last alert that the caller has; 0 means the beginning.
  ///   - count: The maximum number of alerts.
  public func alerts(after id: Int64, count: Int32) async throws(PostgresError) -> [Alert] {
    try await pool.query(Queries.watchAlerts, Parameters(id, count)) { row throws(PostgresError) in
      try Alert(row)
    }
  }

  /// Returns the alerts before one, the newest first.
  ///
  /// - Parameters:
  ///   - userID: The user; nil means all users.
  ///   - id: The id of the last alert of the previous page; nil means the first page.
  ///   - count: The maximum number of alerts.
  public func alerts(
    of userID: UUID?, before id: Int64?, count: Int32
  ) async throws(PostgresError) -> [Alert] {
    try await pool.query(Queries.listAlerts, Parameters(userID, id, count)) {
      row throws(PostgresError) in
      try Alert(row)
    }
  }
}

extension Alert {
  fileprivate init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    self.init(
      id: try columns.read(), userID: try columns.read(), userLabel: try columns.read(),
      threshold: try columns.read(), year: try columns.read(), month: try columns.read(),
      credits: try columns.read(), limit: try columns.read(), createdAt: try columns.read())
  }
}

public import FoundationEssentials
public import MockupCore
public import Postgres

/// The last change of a user's mockup.
public struct MockupChange: Sendable, Hashable {
  /// The position among all changes of the user's mockups.
  public var revision: Int64
  /// The mockup that changed.
  public var mockupID: UUID
  /// The current mockup, or nil if it was deleted.
  public var mockup: Mockup?
}

/// The feed of changes of each user's mockups.
///
/// It has the last change of each mockup. See `013_mockup_feed.sql`.
public struct MockupFeed: Sendable {
  /// The notification channel of the feed.
  ///
  /// When mockups of a user change, PostgreSQL sends a notification with the user's id.
  public static let channel = "mockupd_mockups"

  private let pool: Pool

  /// Creates a feed that reads from the pool's database.
  public init(pool: Pool) {
    self.pool = pool
  }

  /// Returns the number of a user's partition; 0 in a database that is not divided.
  public func partition(of userID: UUID) -> Int {
    userID.partition(of: pool.knownPartitionCount)
  }

  /// Returns the last revision of a user's feed.
  ///
  /// - Returns: The revision, 0 if no mockup has ever changed, or nil if the user does not exist.
  public func revision(of userID: UUID) async throws(PostgresError) -> Int64? {
    let rows = try await pool.partition(of: userID).query(Queries.getMockupFeed, Parameters(userID))
    {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      let isKnown = try columns.read(Bool.self)
      let revision = try columns.read(Int64.self)
      return isKnown ? revision : nil
    }
    return rows.first ?? nil
  }

  /// Returns the changes after a revision, in order, with one change for each mockup.
  ///
  /// - Parameters:
  ///   - userID: The user.
  ///   - revision: The last revision that the caller has seen; 0 means the beginning.
  ///   - count: The maximum number of changes.
  public func changes(
    of userID: UUID, after revision: Int64, count: Int32
  ) async throws(PostgresError) -> [MockupChange] {
    try await pool.partition(of: userID).query(
      Queries.listMockupChanges, Parameters(userID, revision, count)
    ) { row throws(PostgresError) in
      var columns = ColumnReader(row)
      return MockupChange(
        revision: try columns.read(), mockupID: try columns.read(),
        mockup: try Mockup(ifPresent: &columns))
    }
  }
}

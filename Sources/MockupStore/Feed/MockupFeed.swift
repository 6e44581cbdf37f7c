public import FoundationEssentials
public import Mockups
public import Postgres

/// That a user's mockup has changed, as far as it is known now.
public struct MockupChange: Sendable, Hashable {
  /// Its place among all changes of the user's mockups.
  public var revision: Int64
  public var mockupID: UUID
  /// What it is now; nothing where it was deleted.
  public var mockup: Mockup?
}

/// The changes of users' mockups, each mockup's last one: `013_mockup_feed.sql`.
public struct MockupFeed: Sendable {
  /// Where the database notifies a user's id when mockups of that user have changed.
  public static let channel = "mockupd_mockups"

  private let pool: Pool

  public init(pool: Pool) {
    self.pool = pool
  }

  /// The last revision of a user's feed, 0 where nothing has ever changed; nothing for an unknown user.
  public func revision(of userID: UUID) async throws(PostgresError) -> Int64? {
    let rows = try await pool.query(Queries.getMockupFeed, Parameters(userID)) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      let isKnown = try columns.read(Bool.self)
      let revision = try columns.read(Int64.self)
      return isKnown ? revision : nil
    }
    return rows.first ?? nil
  }

  /// The changes after a revision, in their order; of each mockup the last one alone.
  ///
  /// - Parameter count: How many at most.
  public func changes(
    of userID: UUID, after revision: Int64, count: Int32
  ) async throws(PostgresError) -> [MockupChange] {
    try await pool.query(Queries.listMockupChanges, Parameters(userID, revision, count)) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      return MockupChange(
        revision: try columns.read(), mockupID: try columns.read(),
        mockup: try Mockup(ifPresent: &columns))
    }
  }
}

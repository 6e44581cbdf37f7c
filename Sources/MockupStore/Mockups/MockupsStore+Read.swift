public import FoundationEssentials
public import Mockups
internal import Postgres

/// A page of a user's mockups, the newest first.
public struct MockupPage: Sendable, Hashable {
  public var mockups: [Mockup]
  /// Where the next page begins, if there is one.
  public var next: Cursor?

  /// The last mockup of a page.
  public struct Cursor: Sendable, Hashable {
    public var createdAt: Date
    public var id: UUID

    public init(createdAt: Date, id: UUID) {
      self.createdAt = createdAt
      self.id = id
    }

    public init(_ mockup: Mockup) {
      self.init(createdAt: mockup.createdAt, id: mockup.id)
    }
  }
}

/// What narrows a list of mockups; `nil`: all.
public struct MockupFilter: Sendable, Hashable {
  public var assetID: UUID?
  public var quoteID: UUID?
  public var scene: String?
  public var status: MockupStatus?

  public init(
    assetID: UUID? = nil, quoteID: UUID? = nil, scene: String? = nil, status: MockupStatus? = nil
  ) {
    self.assetID = assetID
    self.quoteID = quoteID
    self.scene = scene
    self.status = status
  }
}

extension MockupsStore {
  /// A mockup as it is now.
  public func mockup(_ id: UUID, of userID: UUID) async throws(MockupError) -> Mockup {
    let rows = try await read(Queries.getMockup, Parameters(userID, id)) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      return try Mockup(&columns)
    }
    guard let mockup = rows.first else { throw .unknownMockup(id) }
    return mockup
  }

  /// A page of a user's mockups.
  ///
  /// - Parameters:
  ///   - cursor: Where the page before said to go on.
  ///   - count: How many at most.
  public func mockups(
    of userID: UUID, where filter: MockupFilter = MockupFilter(),
    after cursor: MockupPage.Cursor? = nil, count: Int32
  ) async throws(MockupError) -> MockupPage {
    // One more than the page tells whether there is another.
    let parameters = Parameters(
      userID, filter.assetID, filter.quoteID, filter.scene, filter.status?.rawValue,
      cursor?.createdAt, cursor?.id, Int64(count) + 1)
    var mockups = try await read(Queries.listMockups, parameters) { row throws(PostgresError) in
      var columns = ColumnReader(row)
      return try Mockup(&columns)
    }
    if mockups.isEmpty {
      let exists = try await read(Queries.userExists, Parameters(userID)) {
        row throws(PostgresError) in
        try row.decode(Bool.self, at: 0)
      }
      guard exists.first == true else { throw .unknownUser(userID) }
    }
    guard mockups.count > Int(count) else { return MockupPage(mockups: mockups, next: nil) }
    mockups.removeLast()
    return MockupPage(mockups: mockups, next: mockups.last.map(MockupPage.Cursor.init))
  }
}

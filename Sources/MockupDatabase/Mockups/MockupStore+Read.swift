public import FoundationEssentials
public import MockupCore
internal import Postgres

/// The position of a mockup among the user's, by creation time and id.
public struct MockupCursor: PageCursor {
  /// The creation time of the mockup.
  public var createdAt: Date
  /// The id of the mockup.
  public var id: UUID

  /// Creates a cursor from its parts, such as those of a page token.
  public init(createdAt: Date, id: UUID) {
    self.createdAt = createdAt
    self.id = id
  }

  /// Creates a cursor at a mockup.
  public init(_ mockup: Mockup) {
    self.init(createdAt: mockup.createdAt, id: mockup.id)
  }
}

/// A filter for a list of mockups; a property that is nil matches all mockups.
public struct MockupFilter: Sendable, Hashable {
  /// The asset that the mockups show.
  public var assetID: UUID?
  /// The quote that the mockups are for.
  public var quoteID: UUID?
  /// The key of the mockups' scene.
  public var scene: String?
  /// The current status of the mockups.
  public var status: MockupStatus?

  /// Creates a filter, which matches all mockups by default.
  public init(
    assetID: UUID? = nil, quoteID: UUID? = nil, scene: String? = nil, status: MockupStatus? = nil
  ) {
    self.assetID = assetID
    self.quoteID = quoteID
    self.scene = scene
    self.status = status
  }
}

extension MockupStore {
  /// Returns a user's mockup in its current state.
  ///
  /// - Throws: ``MockupError/unknownMockup(_:)`` if the user has no mockup with the id.
  public func mockup(_ id: UUID, of userID: UUID) async throws(MockupError) -> Mockup {
    let rows = try await read(Queries.getMockup, of: userID, Parameters(userID, id)) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      return try Mockup(&columns)
    }
    guard let mockup = rows.first else { throw .unknownMockup(id) }
    return mockup
  }

  /// Returns a page of a user's mockups, the newest first.
  ///
  /// - Parameters:
  ///   - userID: The user.
  ///   - filter: The mockups to list; by default all.
  ///   - cursor: The ``Page/next`` of the previous page; nil means the first page.
  ///   - count: The maximum number of mockups.
  /// - Throws: ``MockupError/unknownUser(_:)`` if the user does not exist.
  public func mockups(
    of userID: UUID, where filter: MockupFilter = MockupFilter(),
    after cursor: MockupCursor? = nil, count: Int32
  ) async throws(MockupError) -> Page<MockupCursor> {
    let parameters = Parameters(
      userID, filter.assetID, filter.quoteID, filter.scene, filter.status?.rawValue,
      cursor?.createdAt, cursor?.id, Int64(count) + 1)
    let mockups = try await read(Queries.listMockups, of: userID, parameters) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      return try Mockup(&columns)
    }
    if mockups.isEmpty, !(try await exists(userID)) { throw .unknownUser(userID) }
    return Page(mockups, count: count)
  }
}

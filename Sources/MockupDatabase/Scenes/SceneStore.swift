public import FoundationEssentials
public import MockupCore
public import Postgres

/// The store of scene templates: the system's, which all users can read, and those of users.
public struct SceneStore: Sendable, DatabaseStore {
  typealias Failure = SceneError

  let pool: Pool
  let now: @Sendable () -> Date?

  /// Creates a store.
  ///
  /// - Parameters:
  ///   - pool: The connections to the database.
  ///   - now: Returns the time, for tests; nil means the time of the database.
  public init(pool: Pool, now: @escaping @Sendable () -> Date? = { nil }) {
    self.pool = pool
    self.now = now
  }

  /// Returns a template that is visible to a user: the user's own, or a system template.
  ///
  /// - Parameters:
  ///   - id: The template.
  ///   - userID: The user; nil means that only system templates are visible.
  /// - Throws: ``SceneError/unknownTemplate(_:)`` if no visible template has the id.
  public func template(
    _ id: UUID, seenBy userID: UUID?
  ) async throws(SceneError) -> SceneTemplate {
    let found = try await read(
      Queries.getSceneTemplate, of: userID, Parameters(userID, id), SceneTemplate.init(row:))
    guard let template = found.first else { throw .unknownTemplate(id) }
    return template
  }

  /// Returns the template that is used for a user's mockups of a scene.
  ///
  /// The user's active template takes precedence over the system's.
  ///
  /// - Throws: ``SceneError/unknownScene(_:)`` if there is no active template with the key.
  public func resolve(_ key: String, for userID: UUID) async throws(SceneError) -> SceneTemplate {
    let found = try await read(
      Queries.resolveScene, of: userID, Parameters(userID, key), SceneTemplate.init(row:))
    guard let template = found.first else { throw .unknownScene(key) }
    return template
  }
}

extension SceneTemplate {
  init(row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    try self.init(&columns)
  }

  init(_ columns: inout ColumnReader) throws(PostgresError) {
    self.init(
      id: try columns.read(),
      userID: try columns.read(),
      key: try columns.read(),
      name: try columns.read(),
      description: try columns.read(),
      vendorID: try columns.read(),
      vendorURL: try columns.read(),
      config: SceneConfig(json: try columns.read(JSONB.self).text),
      previewURL: try columns.read(),
      isActive: try columns.read(),
      isSystem: try columns.read(),
      recommendedCollections: try columns.read([String?]?.self)?.compactMap { $0 } ?? [],
      createdAt: try columns.read(),
      updatedAt: try columns.read())
  }
}

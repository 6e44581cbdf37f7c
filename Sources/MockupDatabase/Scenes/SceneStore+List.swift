public import FoundationEssentials
public import MockupCore
internal import Postgres

/// A filter for a list of scene templates.
public struct SceneFilter: Sendable, Hashable {
  /// The user whose templates are listed besides the system's; nil means only the system's.
  public var userID: UUID?
  /// If true, inactive templates are listed too.
  public var includesInactive: Bool
  /// If true, only the user's own templates are listed.
  public var ownOnly: Bool
  /// The collection that the templates are recommended for; nil means all templates.
  public var collection: String?

  /// Creates a filter, which matches the system's active templates by default.
  public init(
    userID: UUID? = nil, includesInactive: Bool = false, ownOnly: Bool = false,
    collection: String? = nil
  ) {
    self.userID = userID
    self.includesInactive = includesInactive
    self.ownOnly = ownOnly
    self.collection = collection
  }
}

/// The position of a template in the list of templates.
public struct SceneCursor: PageCursor {
  /// The key of the template.
  public var key: String
  /// A Boolean value that indicates whether it is a system template.
  public var isSystem: Bool
  /// The id of the template.
  public var id: UUID

  /// Creates a cursor from its parts, such as those of a page token.
  public init(key: String, isSystem: Bool, id: UUID) {
    self.key = key
    self.isSystem = isSystem
    self.id = id
  }

  /// Creates a cursor at a template.
  public init(_ template: SceneTemplate) {
    self.init(key: template.key, isSystem: template.isSystem, id: template.id)
  }
}

extension SceneStore {
  /// Returns a page of scene templates in ascending order of their keys.
  ///
  /// For each key, the user's template comes before the system's.
  ///
  /// - Parameters:
  ///   - filter: The templates to list.
  ///   - cursor: The ``Page/next`` of the previous page; nil means the first page.
  ///   - count: The maximum number of templates.
  public func templates(
    _ filter: SceneFilter, after cursor: SceneCursor?, count: Int32
  ) async throws(SceneError) -> Page<SceneCursor> {
    let parameters = Parameters(
      filter.userID, filter.includesInactive, filter.ownOnly, filter.collection,
      cursor?.key, cursor?.isSystem, cursor?.id, Int64(count) + 1)
    let templates = try await read(
      Queries.listSceneTemplates, of: filter.userID, parameters, SceneTemplate.init(row:))
    return Page(templates, count: count)
  }
}

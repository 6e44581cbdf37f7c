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

/// A page of scene templates in ascending order of their keys.
public struct ScenePage: Sendable, Hashable {
  /// The templates; for each key the user's template comes before the system's.
  public var templates: [SceneTemplate]
  /// The cursor for the next page, or nil if this is the last page.
  public var next: Cursor?

  /// The position of the last template of a page in the list.
  public struct Cursor: Sendable, Hashable {
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
}

extension SceneStore {
  /// Returns a page of scene templates.
  ///
  /// - Parameters:
  ///   - filter: The templates to list.
  ///   - cursor: The ``ScenePage/next`` of the previous page; nil means the first page.
  ///   - count: The maximum number of templates.
  public func templates(
    _ filter: SceneFilter, after cursor: ScenePage.Cursor?, count: Int32
  ) async throws(SceneError) -> ScenePage {
    // Reads one template more than the page has, to find out whether there is a next page.
    let parameters = Parameters(
      filter.userID, filter.includesInactive, filter.ownOnly, filter.collection,
      cursor?.key, cursor?.isSystem, cursor?.id, Int64(count) + 1)
    var templates = try await read(
      Queries.listSceneTemplates, of: filter.userID, parameters, SceneTemplate.init(row:))
    guard templates.count > Int(count) else { return ScenePage(templates: templates, next: nil) }
    templates.removeLast()
    return ScenePage(templates: templates, next: templates.last.map(ScenePage.Cursor.init))
  }
}

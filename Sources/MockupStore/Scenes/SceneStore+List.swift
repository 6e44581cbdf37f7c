public import FoundationEssentials
public import Mockups
internal import Postgres

/// Which scene templates a list has.
public struct SceneFilter: Sendable, Hashable {
  /// Whose, besides the system's; `nil`: the system's alone.
  public var userID: UUID?
  /// Also those that are not active.
  public var includesInactive: Bool
  /// Only the user's own.
  public var ownOnly: Bool
  /// Only those recommended for this collection; `nil`: all.
  public var collection: String?

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

/// A page of scene templates, by key, the user's before the system's.
public struct ScenePage: Sendable, Hashable {
  public var templates: [SceneTemplate]
  /// Where the next page begins, if there is one.
  public var next: Cursor?

  /// The last template of a page.
  public struct Cursor: Sendable, Hashable {
    public var key: String
    public var isSystem: Bool
    public var id: UUID

    public init(key: String, isSystem: Bool, id: UUID) {
      self.key = key
      self.isSystem = isSystem
      self.id = id
    }

    public init(_ template: SceneTemplate) {
      self.init(key: template.key, isSystem: template.isSystem, id: template.id)
    }
  }
}

extension SceneStore {
  /// A page of templates.
  ///
  /// - Parameters:
  ///   - cursor: Where the page before said to go on.
  ///   - count: How many at most.
  public func templates(
    _ filter: SceneFilter, after cursor: ScenePage.Cursor?, count: Int32
  ) async throws(SceneError) -> ScenePage {
    // One more than the page tells whether there is another.
    let parameters = Parameters(
      filter.userID, filter.includesInactive, filter.ownOnly, filter.collection,
      cursor?.key, cursor?.isSystem, cursor?.id, Int64(count) + 1)
    var templates = try await read(Queries.listSceneTemplates, parameters)
    guard templates.count > Int(count) else { return ScenePage(templates: templates, next: nil) }
    templates.removeLast()
    return ScenePage(templates: templates, next: templates.last.map(ScenePage.Cursor.init))
  }
}

public import FoundationEssentials

/// A scene that artworks are placed in: the vendor's template under a name of our own.
public struct SceneTemplate: Sendable, Hashable {
  public var id: UUID
  /// `nil`: a scene of the system.
  public var userID: UUID?
  /// What the scene is called in requests.
  public var key: String
  public var name: String
  public var description: String?
  /// The vendor's template.
  public var vendorID: String
  public var vendorURL: String?
  public var config: SceneConfig
  public var previewURL: String?
  public var isActive: Bool
  /// Everybody's, and nobody's to change.
  public var isSystem: Bool
  public var recommendedCollections: [String]
  public var createdAt: Date
  public var updatedAt: Date

  public init(
    id: UUID, userID: UUID?, key: String, name: String, description: String? = nil,
    vendorID: String, vendorURL: String? = nil, config: SceneConfig = SceneConfig(),
    previewURL: String? = nil, isActive: Bool = true, isSystem: Bool = false,
    recommendedCollections: [String] = [], createdAt: Date, updatedAt: Date
  ) {
    self.id = id
    self.userID = userID
    self.key = key
    self.name = name
    self.description = description
    self.vendorID = vendorID
    self.vendorURL = vendorURL
    self.config = config
    self.previewURL = previewURL
    self.isActive = isActive
    self.isSystem = isSystem
    self.recommendedCollections = recommendedCollections
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}

public import FoundationEssentials

/// A scene that artworks are placed in, backed by a template of the vendor.
public struct SceneTemplate: Sendable, Hashable {
  /// The id, made by the server or by PostgreSQL.
  public var id: UUID
  /// The user who owns the template, or nil for a system template.
  public var userID: UUID?
  /// The key by which requests name the scene, unique among the user's templates.
  public var key: String
  /// The name for people.
  public var name: String
  /// The description for people, or nil if there is none.
  public var description: String?
  /// The vendor's id of the template.
  public var vendorID: String
  /// The vendor's URL of the template, or nil if there is none.
  public var vendorURL: String?
  /// The placement of the artwork.
  public var config: SceneConfig
  /// The URL of a preview image, or nil if there is none.
  public var previewURL: String?
  /// A Boolean value that indicates whether mockups can be generated with the template.
  public var isActive: Bool
  /// A Boolean value that indicates whether the template is available to all users and read-only.
  public var isSystem: Bool
  /// The names of the collections that the scene suits.
  public var recommendedCollections: [String]
  /// The time when the template was made.
  public var createdAt: Date
  /// The time of the last change.
  public var updatedAt: Date

  /// Creates a template from its values.
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

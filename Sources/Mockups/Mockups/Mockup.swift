public import FoundationEssentials

/// A picture of an asset in a scene, or what is to become one.
public struct Mockup: Sendable, Hashable {
  public var userID: UUID
  public var id: UUID
  public var assetID: UUID
  public var quoteID: UUID?
  /// The scene's key.
  public var scene: String
  /// As it was when the mockup was asked for.
  public var sceneConfig: SceneConfig
  public var status: MockupStatus
  /// What the worker made; empty while there is nothing.
  public var picture: Picture
  /// What the picture was charged with, 0 where nothing was.
  public var creditsUsed: Int32
  /// Why it failed or was rejected.
  public var errorMessage: String?
  public var totalPins: Int32
  public var totalImpressions: Int32
  public var createdAt: Date
  public var updatedAt: Date
  /// How often it was claimed; the last claim's number is the token that its worker shows.
  public var attempt: Int32
  /// The reservation of its current or last round; nothing where it was not asked for here.
  public var reservationID: UUID?

  public init(
    userID: UUID, id: UUID, assetID: UUID, quoteID: UUID?, scene: String, sceneConfig: SceneConfig,
    status: MockupStatus, picture: Picture, creditsUsed: Int32, errorMessage: String?,
    totalPins: Int32, totalImpressions: Int32, createdAt: Date, updatedAt: Date, attempt: Int32,
    reservationID: UUID?
  ) {
    self.userID = userID
    self.id = id
    self.assetID = assetID
    self.quoteID = quoteID
    self.scene = scene
    self.sceneConfig = sceneConfig
    self.status = status
    self.picture = picture
    self.creditsUsed = creditsUsed
    self.errorMessage = errorMessage
    self.totalPins = totalPins
    self.totalImpressions = totalImpressions
    self.createdAt = createdAt
    self.updatedAt = updatedAt
    self.attempt = attempt
    self.reservationID = reservationID
  }
}

/// What a worker made of a mockup.
public struct Picture: Sendable, Hashable {
  public var fileURL: String
  public var fileKey: String
  public var thumbnailURL: String?
  /// The vendor's render.
  public var renderID: String?
  /// What the vendor answered, a JSON object; `nil`: nothing.
  public var metadata: String?
  /// 0 to 1; `nil`: not judged.
  public var qualityScore: Double?

  public init(
    fileURL: String, fileKey: String, thumbnailURL: String? = nil, renderID: String? = nil,
    metadata: String? = nil, qualityScore: Double? = nil
  ) {
    self.fileURL = fileURL
    self.fileKey = fileKey
    self.thumbnailURL = thumbnailURL
    self.renderID = renderID
    self.metadata = metadata
    self.qualityScore = qualityScore
  }
}

public import FoundationEssentials

/// A picture of an asset in a scene, or the request for one.
public struct Mockup: Sendable, Hashable {
  /// The user who owns the mockup.
  public var userID: UUID
  /// The id, made by the server or by PostgreSQL.
  public var id: UUID
  /// The asset that is shown, which belongs to the user.
  public var assetID: UUID
  /// The quote that the mockup is for, or nil if there is none or it was deleted.
  public var quoteID: UUID?
  /// The key of the scene.
  public var scene: String
  /// The scene's configuration at the time when the mockup was requested.
  public var sceneConfig: SceneConfig
  /// The position in the life cycle.
  public var status: MockupStatus
  /// The picture that the worker reported, with empty URLs until the mockup is completed.
  public var picture: Picture
  /// The number of credits that were charged for the picture, 0 if none were.
  public var creditsUsed: Int32
  /// The reason why the mockup failed or was rejected.
  public var errorMessage: String?
  /// The number of pins that use the picture.
  public var totalPins: Int32
  /// The number of impressions of these pins.
  public var totalImpressions: Int32
  /// The time when the mockup was requested.
  public var createdAt: Date
  /// The time of the last change.
  public var updatedAt: Date
  /// The number of times the mockup was claimed.
  ///
  /// It is the fencing token that the worker of the last claim passes.
  public var attempt: Int32
  /// The reservation of the current or last round.
  ///
  /// It is nil for a mockup that was inserted with SQL and has not been regenerated.
  public var reservationID: UUID?

  /// Creates a mockup from its values.
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

/// The picture that a worker made for a mockup.
public struct Picture: Sendable, Hashable {
  /// The URL of the picture, or an empty string if there is no picture yet.
  public var fileURL: String
  /// The storage key of the picture, or an empty string if there is no picture yet.
  public var fileKey: String
  /// The URL of a thumbnail, or nil if there is none.
  public var thumbnailURL: String?
  /// The vendor's id of the render, or nil if the worker reported none.
  public var renderID: String?
  /// The vendor's response as the text of a JSON object, or nil if the worker reported none.
  public var metadata: String?
  /// The quality from 0 to 1, or nil if it was not rated.
  public var qualityScore: Double?

  /// Creates a picture from the values that a worker reports.
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

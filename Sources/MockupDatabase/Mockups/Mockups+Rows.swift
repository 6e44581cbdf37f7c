internal import FoundationEssentials
internal import MockupCore
internal import Postgres

// These initializers read the domain's types from columns in the order in which the queries list
// them.

extension Mockup {
  /// Reads a mockup from its 21 columns, those of its job included.
  init(_ columns: inout ColumnReader) throws(PostgresError) {
    guard let mockup = try Mockup(ifPresent: &columns) else {
      throw .unexpectedAnswer("no mockup")
    }
    self = mockup
  }

  /// Reads a mockup from its 21 columns, or nil if they are null.
  init?(ifPresent columns: inout ColumnReader) throws(PostgresError) {
    let userID = try columns.read(UUID?.self)
    let id = try columns.read(UUID?.self)
    let assetID = try columns.read(UUID?.self)
    let quoteID = try columns.read(UUID?.self)
    let scene = try columns.read(String?.self)
    let sceneConfig = try columns.read(String?.self)
    let status = try columns.read(String?.self)
    let fileURL = try columns.read(String?.self)
    let fileKey = try columns.read(String?.self)
    let thumbnailURL = try columns.read(String?.self)
    let renderID = try columns.read(String?.self)
    let metadata = try columns.read(String?.self)
    let qualityScore = try columns.read(Double?.self)
    let creditsUsed = try columns.read(Int32?.self)
    let errorMessage = try columns.read(String?.self)
    let totalPins = try columns.read(Int32?.self)
    let totalImpressions = try columns.read(Int32?.self)
    let createdAt = try columns.read(Date?.self)
    let updatedAt = try columns.read(Date?.self)
    let attempt = try columns.read(Int32.self)
    let reservationID = try columns.read(UUID?.self)
    guard let userID, let id, let assetID, let createdAt, let updatedAt else { return nil }
    self.init(
      userID: userID,
      id: id,
      assetID: assetID,
      quoteID: quoteID,
      scene: scene ?? "",
      sceneConfig: SceneConfig(json: sceneConfig ?? "{}"),
      status: try MockupStatus(databaseValue: status ?? ""),
      picture: Picture(
        fileURL: fileURL ?? "", fileKey: fileKey ?? "", thumbnailURL: thumbnailURL,
        renderID: renderID, metadata: metadata, qualityScore: qualityScore),
      creditsUsed: creditsUsed ?? 0,
      errorMessage: errorMessage,
      totalPins: totalPins ?? 0,
      totalImpressions: totalImpressions ?? 0,
      createdAt: createdAt,
      updatedAt: updatedAt,
      attempt: attempt,
      reservationID: reservationID)
  }
}

/// The result of a function that changes one mockup, with the user's credits after the change.
struct MockupRow: Sendable {
  var outcome: String
  var isReplayed = false
  var mockup: Mockup?
  /// The state of the round's reservation, as the database names it.
  var reservationState: String?
  var usage: Usage?

  init(outcome: String, mockup: Mockup?) {
    self.outcome = outcome
    self.mockup = mockup
  }

  /// Reads a row of `regenerate_mockup.sql`, `complete_mockups.sql` or `fail_mockups.sql`.
  init(changing row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    outcome = try columns.read()
    isReplayed = try columns.read()
    mockup = try Mockup(ifPresent: &columns)
    reservationState = try columns.read()
    guard let year = try columns.read(Int32?.self), let month = try columns.read(Int32?.self)
    else { return }
    usage = try Usage(&columns, period: Period(year: year, month: month))
  }

  /// Reads a row of `review_mockup.sql`.
  init(reviewing row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    outcome = try columns.read()
    mockup = try Mockup(ifPresent: &columns)
  }

  /// Returns the error for an outcome that is not a success.
  func error(of id: UUID, wanted: MockupStatus) -> MockupError {
    switch (outcome, mockup) {
    case ("not_found", _): return .unknownMockup(id)
    case ("lost", let mockup?): return .lostLease(attempt: mockup.attempt)
    case ("wrong_state", let mockup?): return .wrongStatus(mockup.status, wanted: wanted)
    case ("invalid_metadata", _): return .invalidMetadata
    case ("not_open", _): return .reservationNotOpen(reservationState ?? "gone")
    case ("exceeds_held", _): return .exceedsHeld
    case ("exceeds_maximum", _): return .exceedsMaximum
    default:
      if let field = conflictingField(of: outcome) { return .conflict(field: field) }
      if outcome == "insufficient", let usage { return .insufficient(usage) }
      return .database(.unexpectedAnswer(outcome))
    }
  }
}

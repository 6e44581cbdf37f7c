internal import FoundationEssentials
internal import MockupAPI
internal import MockupCore
internal import TTRPC

// Conversions from the requests for mockups to the domain's values.

extension GenerateMockupsRequest {
  func generation() throws(RPCError) -> GenerationRequest {
    let userID = try RequestFields.uuid(userID, "user_id")
    let id = try RequestFields.uuid(requestID, "request_id")
    var assets: [UUID] = []
    for assetID in assetIDs { assets.append(try RequestFields.uuid(assetID, "asset_ids")) }
    for scene in scenes { try RequestFields.length(scene, MockupFields.sceneLength, "scenes") }
    let quoteID = try RequestFields.optionalUUID(quoteID, "quote_id")
    let cost = try MockupFields.cost(
      creditsPerMockup, "credits_per_mockup", seconds: timeToLiveSeconds)
    do {
      return try GenerationRequest(
        userID: userID, id: id, assetIDs: assets, scenes: scenes, skipsApproval: skipApproval,
        quoteID: quoteID, cost: cost)
    } catch {
      switch error {
      case .noAssets: throw .invalid("asset_ids", "is missing")
      case .noScenes: throw .invalid("scenes", "is missing")
      case .tooManyPairs(let count):
        throw .invalid(
          "asset_ids",
          "and scenes make \(count) pairs, more than \(GenerationRequest.maximumPairs)")
      }
    }
  }
}

/// The validation of fields of `MockupServices` requests.
enum MockupFields {
  static let sceneLength = 1...200
  static let reasonLength = 0...2000
  static let maximumURLBytes = 4096
  static let maximumMetadataBytes = 65_536
  static let leaseSeconds: ClosedRange<Int32> = 1...3600
  static let defaultLeaseSeconds: Int32 = 60

  static func cost(
    _ credits: Int32, _ field: String, seconds: Int32
  ) throws(RPCError) -> MockupCost {
    let timeToLive =
      seconds == 0 ? GenerationRequest.defaultTimeToLive : .seconds(Int64(seconds))
    do {
      return try MockupCost(credits: credits == 0 ? 1 : credits, timeToLive: timeToLive)
    } catch {
      switch error {
      case .creditsOutOfRange:
        let range = MockupCost.creditsRange
        throw .invalid(
          field, "\(credits) is not between \(range.lowerBound) and \(range.upperBound)")
      case .timeToLiveOutOfRange:
        throw .timeToLiveOutOfRange(seconds, "time_to_live_seconds")
      }
    }
  }

  static func lease(_ seconds: Int32) throws(RPCError) -> Duration {
    let seconds = seconds == 0 ? defaultLeaseSeconds : seconds
    try within(leaseSeconds, seconds, "lease_seconds")
    return .seconds(Int64(seconds))
  }

  static func within(
    _ range: ClosedRange<Int32>, _ number: Int32, _ field: String
  ) throws(RPCError) {
    guard range.contains(number) else {
      throw .invalid(
        field, "\(number) is not between \(range.lowerBound) and \(range.upperBound)")
    }
  }

  /// Validates an optional text field; empty becomes `nil`.
  ///
  /// - Parameter longest: The maximum length in characters.
  static func optionalText(
    _ text: String, longest: Int, _ field: String
  ) throws(RPCError) -> String? {
    try RequestFields.length(text, 0...longest, field)
    return text.isEmpty ? nil : text
  }

  /// Converts the status of a filter; unspecified becomes `nil`.
  static func status(
    _ status: MockupAPI.MockupStatus, _ field: String
  ) throws(RPCError) -> MockupCore.MockupStatus? {
    switch status {
    case .unspecified: return nil
    case .pending: return .pending
    case .generating: return .generating
    case .completed: return .completed
    case .failed: return .failed
    case .approved: return .approved
    case .rejected: return .rejected
    case .unrecognized(let number):
      throw .invalid(field, "\(number) is not a supported value")
    }
  }
}

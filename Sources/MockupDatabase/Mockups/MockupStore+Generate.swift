public import FoundationEssentials
public import MockupCore
internal import Postgres

/// The result of a request for mockups.
public struct GenerationOutcome: Sendable, Hashable {
  /// The result of each pair of an asset and a scene.
  ///
  /// The assets are in the order of the request, and so are the scenes of each asset.
  public var results: [GenerationResult]
  /// The user's current credits.
  public var usage: Usage
  /// True if an earlier call made the mockups.
  ///
  /// The results are then those of the earlier call, with the current state of the mockups.
  public var isReplayed: Bool
}

/// The result of one pair of an asset and a scene.
public struct GenerationResult: Sendable, Hashable {
  /// The asset of the pair.
  public var assetID: UUID
  /// The key of the pair's scene.
  public var scene: String
  /// The mockup that was made, or the reason why none was.
  public var decision: Decision

  /// The decision on a pair.
  public enum Decision: Sendable, Hashable {
    /// A mockup was made, and credits are reserved for it.
    case made(GeneratedMockup)
    /// No mockup was made.
    case failed(GenerationFailure)
  }
}

/// A mockup that a request for mockups made.
public struct GeneratedMockup: Sendable, Hashable {
  /// The id of the mockup.
  public var id: UUID
  /// The reservation of the mockup's first round.
  public var reservationID: UUID
  /// The current status, or nil if the mockup has been deleted since.
  public var status: MockupStatus?
  /// The URL of the picture, or an empty string if there is no picture.
  public var fileURL: String
  /// The number of credits that were charged for the picture, 0 if none were.
  public var creditsUsed: Int32
}

/// The reason why no mockup was made for a pair.
///
/// The raw values are those of the column `failures` in the database.
public enum GenerationFailure: String, Sendable, Hashable, CaseIterable {
  /// The asset does not exist, or belongs to another user.
  case unknownAsset = "unknown_asset"
  /// Neither the user nor the system has an active template with the scene's key.
  case unknownScene = "unknown_scene"
  /// Too few credits were available.
  case insufficientCredits = "insufficient_credits"
}

/// The result of regenerating a mockup.
public struct RegenerationOutcome: Sendable, Hashable {
  /// The decision on the reservation; the mockup is unchanged if it was refused.
  public var admission: Admission
  /// The current mockup, or nil if it has been deleted since an earlier call.
  public var mockup: Mockup?
  /// True if this is the decision of an earlier call, which made the same request.
  public var isReplayed: Bool
}

extension MockupStore {
  /// Requests mockups, one for each pair of an asset and a scene.
  ///
  /// Each pair gets a pending mockup with a reservation of its own, or a failure. All of them are
  /// written in one transaction.
  public func generate(
    _ request: GenerationRequest
  ) async throws(MockupError) -> GenerationOutcome {
    let parameters = Parameters(
      now(), request.userID, request.id, request.assetIDs, request.scenes, request.skipsApproval,
      request.quoteID, request.cost.credits, Int32(request.cost.timeToLive.components.seconds),
      (0..<request.pairCount).map { _ in makeID() },
      (0..<request.pairCount).map { _ in makeID() })
    let rows = try await write(Queries.generateMockups, of: request.userID, parameters) {
      row throws(PostgresError) in
      try GenerateRow(row)
    }
    guard let first = rows.first else { throw .database(.unexpectedAnswer("generate")) }
    guard first.outcome == "made" else { throw first.error(of: request) }
    let results = rows.compactMap(\.result)
    guard let usage = first.usage, results.count == request.pairCount else {
      throw .database(.unexpectedAnswer("generate"))
    }
    return GenerationOutcome(results: results, usage: usage, isReplayed: first.isReplayed)
  }

  /// Requests another picture for a mockup, which is charged as a regeneration.
  ///
  /// - Parameters:
  ///   - id: The mockup, which must be completed, failed, approved or rejected.
  ///   - userID: The user who owns the mockup.
  ///   - requestID: The idempotency key, unique for the user.
  ///   - skipsApproval: If true, the new picture is approved immediately.
  ///   - cost: The credits to reserve, and how long to hold them.
  public func regenerate(
    _ id: UUID, of userID: UUID, requestID: UUID, skipsApproval: Bool, cost: MockupCost
  ) async throws(MockupError) -> RegenerationOutcome {
    let parameters = Parameters(
      now(), userID, id, requestID, skipsApproval, cost.credits,
      Int32(cost.timeToLive.components.seconds), makeID())
    let row = try await writeOne(Queries.regenerateMockup, of: userID, parameters) {
      row throws(PostgresError) in
      try MockupRow(changing: row)
    }
    guard ["pending", "refused"].contains(row.outcome), let usage = row.usage else {
      throw row.error(of: id, wanted: .pending)
    }
    return RegenerationOutcome(
      admission: Admission(isAdmitted: row.outcome == "pending", usage: usage),
      mockup: row.mockup, isReplayed: row.isReplayed)
  }
}

/// A row of `generate_mockups.sql`.
private struct GenerateRow: Sendable {
  var outcome: String
  var isReplayed = false
  var result: GenerationResult?
  var usage: Usage?

  init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    outcome = try columns.read()
    guard outcome == "made" else { return }
    isReplayed = try columns.read()
    let assetID = try columns.read(UUID.self)
    let scene = try columns.read(String.self)
    let mockupID = try columns.read(UUID?.self)
    let reservationID = try columns.read(UUID?.self)
    let failure = try columns.read(String?.self)
    let status = try columns.read(String?.self)
    let fileURL = try columns.read(String?.self)
    let creditsUsed = try columns.read(Int32?.self)
    let decision: GenerationResult.Decision
    if let mockupID, let reservationID {
      decision = .made(
        GeneratedMockup(
          id: mockupID, reservationID: reservationID,
          status: try status.map { value throws(PostgresError) in
            try MockupStatus(databaseValue: value)
          },
          fileURL: fileURL ?? "", creditsUsed: creditsUsed ?? 0))
    } else {
      decision = .failed(try GenerationFailure(databaseValue: failure ?? ""))
    }
    result = GenerationResult(assetID: assetID, scene: scene, decision: decision)
    let period = Period(year: try columns.read(), month: try columns.read())
    usage = try Usage(&columns, period: period)
  }

  func error(of request: GenerationRequest) -> MockupError {
    switch outcome {
    case "unknown_user": return .unknownUser(request.userID)
    case "unknown_quote": return .unknownQuote(request.quoteID ?? request.id)
    default:
      if let field = conflictingField(of: outcome) { return .conflict(field: field) }
      return .database(.unexpectedAnswer(outcome))
    }
  }
}

public import FoundationEssentials
public import Mockups
internal import Postgres

/// What a request for mockups came to.
public struct GenerationOutcome: Sendable, Hashable {
  /// One for each pair, assets in the order of the request, each with its scenes in theirs.
  public var results: [GenerationResult]
  /// The user's credits after it.
  public var usage: Usage
  /// The request was sent before: its results again, with what the mockups are now.
  public var isReplayed: Bool
}

/// What one pair of an asset and a scene came to.
public struct GenerationResult: Sendable, Hashable {
  public var assetID: UUID
  public var scene: String
  public var decision: Decision

  public enum Decision: Sendable, Hashable {
    case made(GeneratedMockup)
    case failed(GenerationFailure)
  }
}

/// A mockup that was asked for.
public struct GeneratedMockup: Sendable, Hashable {
  public var id: UUID
  public var reservationID: UUID
  /// What it is now; `nil`: it was deleted since.
  public var status: MockupStatus?
  public var fileURL: String
  public var creditsUsed: Int32
}

/// Why a pair got no mockup; raw values are the database's words.
public enum GenerationFailure: String, Sendable, Hashable, CaseIterable {
  /// There is no such asset, or it is another user's.
  case unknownAsset = "unknown_asset"
  case unknownScene = "unknown_scene"
  case insufficientCredits = "insufficient_credits"
}

/// What asking for a mockup once more came to.
public struct RegenerationOutcome: Sendable, Hashable {
  public var admission: Admission
  /// As it is now; `nil`: it was deleted since.
  public var mockup: Mockup?
  public var isReplayed: Bool
}

extension MockupsStore {
  /// Asks for mockups: each pair gets one with a reservation of its own, or a reason why not.
  public func generate(
    _ request: GenerationRequest
  ) async throws(MockupError) -> GenerationOutcome {
    let parameters = Parameters(
      now(), request.userID, request.id, request.assetIDs, request.scenes, request.skipsApproval,
      request.quoteID, request.cost.credits, Int32(request.cost.timeToLive.components.seconds),
      (0..<request.pairCount).map { _ in makeID() },
      (0..<request.pairCount).map { _ in makeID() })
    let rows = try await change(Queries.generateMockups, parameters) { row throws(PostgresError) in
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

  /// Asks for a mockup once more, as a new attempt that is charged as a regeneration.
  ///
  /// - Parameter requestID: Under which the call can be sent again.
  public func regenerate(
    _ id: UUID, of userID: UUID, requestID: UUID, skipsApproval: Bool, cost: MockupCost
  ) async throws(MockupError) -> RegenerationOutcome {
    let parameters = Parameters(
      now(), userID, id, requestID, skipsApproval, cost.credits,
      Int32(cost.timeToLive.components.seconds), makeID())
    let row = try await changeOne(Queries.regenerateMockup, parameters) {
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
          status: try status.map { word throws(PostgresError) in
            try MockupStatus(databaseValue: word)
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
    let prefix = "conflicting_"
    switch outcome {
    case "unknown_user": return .unknownUser(request.userID)
    case "unknown_quote": return .unknownQuote(request.quoteID ?? request.id)
    case _ where outcome.hasPrefix(prefix):
      return .conflict(field: String(outcome.dropFirst(prefix.count)))
    default: return .database(.unexpectedAnswer(outcome))
    }
  }
}

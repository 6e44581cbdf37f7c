public import FoundationEssentials
public import MockupAPI
public import TTRPC
public import TimeOrderedID

/// A user's mockups: asked for, looked at, decided upon. Workers find their side in
/// ``withClaimedMockups(worker:concurrency:lease:_:)``.
///
/// Every method but ``claim(worker:count:lease:wait:)`` may be called again with the same ids: it has
/// one effect. All throw ``RPCError``; `proto/mockups/v1/mockups.proto` says with which codes.
public struct Mockups: Sendable {
  let stub: MockupServiceClient
  let options: CallOptions
  /// For watches; the calls' own is the client's.
  let retry: RetryPolicy
  /// For what workers report.
  let shielded: ShieldedCalls

  /// Asks for a mockup of each asset in each scene, up to 500.
  ///
  /// What cannot be made is told in its result, not by an error: too few credits, an unknown scene.
  ///
  /// - Parameters:
  ///   - scenes: Keys of scenes; a user's own stands before the system's.
  ///   - id: Under which the call can be sent again.
  ///   - skipApproval: Completed mockups are approved at once.
  ///   - quote: A quote of the user that they are for.
  ///   - credits: What each may cost.
  ///   - timeToLive: How long that stays set aside for a mockup that no worker takes, rounded up to
  ///     whole seconds; `nil`: a day, which is also the most.
  public func generate(
    for user: UUID, assets: [UUID], scenes: [String], id: UUID = .timeOrdered(),
    skipApproval: Bool = false, quote: UUID? = nil, credits: Int = 1, timeToLive: Duration? = nil
  ) async throws(RPCError) -> GenerateMockupsResponse {
    let request = GenerateMockupsRequest(
      userID: user.wireText,
      requestID: id.wireText,
      assetIDs: assets.map(\.wireText),
      scenes: scenes,
      skipApproval: skipApproval,
      quoteID: quote?.wireText ?? "",
      creditsPerMockup: try .atLeastOne(credits, "credits"),
      timeToLiveSeconds: try .seconds(timeToLive, "timeToLive"))
    return try await stub.generateMockups(request, options: options)
  }

  /// Asks for a mockup once more: its picture is cleared away, and the new one charged as a
  /// regeneration.
  ///
  /// Too few credits are an answer, not an error: look at `success`.
  public func regenerate(
    _ mockup: UUID, of user: UUID, id: UUID = .timeOrdered(), skipApproval: Bool = false,
    credits: Int = 1, timeToLive: Duration? = nil
  ) async throws(RPCError) -> RegenerateMockupResponse {
    let request = RegenerateMockupRequest(
      userID: user.wireText,
      mockupID: mockup.wireText,
      requestID: id.wireText,
      skipApproval: skipApproval,
      credits: try .atLeastOne(credits, "credits"),
      timeToLiveSeconds: try .seconds(timeToLive, "timeToLive"))
    return try await stub.regenerateMockup(request, options: options)
  }

  /// A mockup as it is now.
  public func mockup(_ id: UUID, of user: UUID) async throws(RPCError) -> Mockup {
    let request = GetMockupRequest(userID: user.wireText, mockupID: id.wireText)
    return try Self.present(try await stub.getMockup(request, options: options).mockup)
  }

  /// A user's mockups, the newest first, fetched page by page as they are read.
  ///
  /// - Parameters: Each narrows the list; `nil`: all.
  public func list(
    of user: UUID, asset: UUID? = nil, quote: UUID? = nil, scene: String? = nil,
    status: MockupStatus? = nil
  ) -> MockupList {
    MockupList(
      mockups: self,
      request: ListMockupsRequest(
        userID: user.wireText, assetID: asset?.wireText ?? "", quoteID: quote?.wireText ?? "",
        scene: scene ?? "", status: status ?? .unspecified, pageSize: MockupList.pageSize))
  }

  /// Approves a completed mockup.
  public func approve(_ mockup: UUID, of user: UUID) async throws(RPCError) -> Mockup {
    let request = ApproveMockupRequest(userID: user.wireText, mockupID: mockup.wireText)
    return try Self.present(try await stub.approveMockup(request, options: options).mockup)
  }

  /// Rejects a completed mockup.
  public func reject(
    _ mockup: UUID, of user: UUID, reason: String = ""
  ) async throws(RPCError) -> Mockup {
    let request = RejectMockupRequest(
      userID: user.wireText, mockupID: mockup.wireText, reason: reason)
    return try Self.present(try await stub.rejectMockup(request, options: options).mockup)
  }

  /// Deletes a mockup; credits that no worker has begun to spend come back.
  public func delete(
    _ mockup: UUID, of user: UUID
  ) async throws(RPCError) -> DeleteMockupResponse {
    let request = DeleteMockupRequest(userID: user.wireText, mockupID: mockup.wireText)
    return try await stub.deleteMockup(request, options: options)
  }

  static func present(_ mockup: Mockup?) throws(RPCError) -> Mockup {
    guard let mockup else {
      throw RPCError(code: .internalError, message: "the answer has no mockup")
    }
    return mockup
  }
}

extension Int32 {
  /// A number as it travels.
  ///
  /// - Throws: INVALID_ARGUMENT for one that 32 bits do not hold, or that is below 1: 0 would leave the
  ///   choice to the server.
  static func atLeastOne(_ number: Int, _ name: String) throws(RPCError) -> Int32 {
    guard number >= 1, let number = Int32(exactly: number) else {
      throw RPCError(code: .invalidArgument, message: "\(name) \(number) is out of range")
    }
    return number
  }

  /// A duration as it travels, rounded up: 0 where the server is to choose.
  static func seconds(_ duration: Duration?, _ name: String) throws(RPCError) -> Int32 {
    guard let duration else { return 0 }
    let (seconds, attoseconds) = duration.components
    guard duration > .zero, let seconds = Int32(exactly: seconds), seconds < .max else {
      throw RPCError(code: .invalidArgument, message: "\(name) \(duration) is out of range")
    }
    return seconds + (attoseconds > 0 ? 1 : 0)
  }
}

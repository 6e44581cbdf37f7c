public import FoundationEssentials
public import MockupAPI
public import TTRPC
public import TimeOrderedID

/// The calls that generate, list, review, delete and watch a user's mockups.
///
/// Workers use ``withClaimedMockups(worker:concurrency:lease:onUnrecorded:_:)``.
///
/// Every method except ``claim(worker:count:lease:wait:)`` is idempotent: a retry with the same ids
/// has no second effect. Every method throws `RPCError`. `proto/mockups/v1/mockups.proto` lists
/// the codes.
public struct Mockups: Sendable {
  let stub: MockupServiceClient
  let options: CallOptions
  /// The policy for restarting watches; unary calls are retried by the connection.
  let retry: RetryPolicy
  /// Makes the reports of workers, even if the caller's task is cancelled.
  let shielded: ShieldedCalls

  /// Requests a mockup of each asset in each scene, up to 500 mockups.
  ///
  /// The server makes a reservation for each mockup. If a mockup cannot be requested, for example
  /// because its scene is unknown or too few credits are available, its result in the response says
  /// so, and no error is thrown.
  ///
  /// - Parameters:
  ///   - user: The user whose budget is charged, and who owns the mockups. The call fails with
  ///     NOT_FOUND if the user is unknown.
  ///   - assets: The ids of assets of the user. Duplicates are dropped.
  ///   - scenes: The keys of scenes. A user's active template takes precedence over the system's.
  ///   - id: The idempotency key of the call.
  ///   - skipApproval: If `true`, completed mockups are approved at once.
  ///   - quote: A quote of the user that the mockups are for.
  ///   - credits: The credits to reserve for each mockup, 1 to 1000.
  ///   - timeToLive: The time to live of each reservation until a worker claims the mockup, rounded
  ///     up to whole seconds; `nil` means 24 hours, which is also the maximum.
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
      creditsPerMockup: try .wire(credits, "credits", in: 1 ... .max),
      timeToLiveSeconds: try .seconds(timeToLive, "timeToLive"))
    return try await stub.generateMockups(request, options: options)
  }

  /// Requests a new picture of a mockup, which is charged as a regeneration.
  ///
  /// The mockup becomes pending again, and its previous picture is removed. Insufficient credits
  /// are not an error: `success` is then `false` in the response.
  ///
  /// - Parameters:
  ///   - mockup: The id of a mockup that is completed, approved, rejected or failed. The call fails
  ///     with FAILED_PRECONDITION for any other.
  ///   - user: The owner of the mockup, whose budget is charged.
  ///   - id: The idempotency key of the call.
  ///   - skipApproval: If `true`, the completed mockup is approved at once.
  ///   - credits: The credits to reserve, 1 to 1000.
  ///   - timeToLive: The time to live of the reservation until a worker claims the mockup, rounded
  ///     up to whole seconds; `nil` means 24 hours, which is also the maximum.
  public func regenerate(
    _ mockup: UUID, of user: UUID, id: UUID = .timeOrdered(), skipApproval: Bool = false,
    credits: Int = 1, timeToLive: Duration? = nil
  ) async throws(RPCError) -> RegenerateMockupResponse {
    let request = RegenerateMockupRequest(
      userID: user.wireText,
      mockupID: mockup.wireText,
      requestID: id.wireText,
      skipApproval: skipApproval,
      credits: try .wire(credits, "credits", in: 1 ... .max),
      timeToLiveSeconds: try .seconds(timeToLive, "timeToLive"))
    return try await stub.regenerateMockup(request, options: options)
  }

  /// Returns a mockup in its current state.
  public func mockup(_ id: UUID, of user: UUID) async throws(RPCError) -> Mockup {
    let request = GetMockupRequest(userID: user.wireText, mockupID: id.wireText)
    return try Self.required(try await stub.getMockup(request, options: options).mockup)
  }

  /// Returns a user's mockups, the newest first.
  ///
  /// The mockups are fetched page by page while they are iterated over.
  ///
  /// - Parameters:
  ///   - user: The owner of the mockups. The iteration fails with NOT_FOUND if the user is unknown.
  ///   - asset: Only mockups of this asset; `nil` means all.
  ///   - quote: Only mockups for this quote; `nil` means all.
  ///   - scene: Only mockups in the scene with this key; `nil` means all.
  ///   - status: Only mockups with this status; `nil` means all.
  public func list(
    of user: UUID, asset: UUID? = nil, quote: UUID? = nil, scene: String? = nil,
    status: MockupStatus? = nil
  ) -> PagedList<Mockup> {
    PagedList { token throws(RPCError) in
      let request = ListMockupsRequest(
        userID: user.wireText, assetID: asset?.wireText ?? "", quoteID: quote?.wireText ?? "",
        scene: scene ?? "", status: status ?? .unspecified, pageSize: listPageSize,
        pageToken: token)
      let page = try await stub.listMockups(request, options: options)
      return (page.mockups, page.nextPageToken)
    }
  }

  /// Returns one page of a user's mockups, the newest first.
  ///
  /// It suits a program that shows one page at a time; others iterate over
  /// ``list(of:asset:quote:scene:status:)``.
  ///
  /// - Parameters:
  ///   - user: The owner of the mockups. The call fails with NOT_FOUND if the user is unknown.
  ///   - count: The maximum number of mockups, 1 to 1000.
  ///   - token: The `nextPageToken` of the previous page; empty for the first page.
  public func listPage(
    of user: UUID, count: Int, after token: String = ""
  ) async throws(RPCError) -> ListMockupsResponse {
    try await stub.listMockups(
      ListMockupsRequest(
        userID: user.wireText, pageSize: try .wire(count, "count"), pageToken: token),
      options: options)
  }

  /// Approves a completed mockup.
  public func approve(_ mockup: UUID, of user: UUID) async throws(RPCError) -> Mockup {
    let request = ApproveMockupRequest(userID: user.wireText, mockupID: mockup.wireText)
    return try Self.required(try await stub.approveMockup(request, options: options).mockup)
  }

  /// Rejects a completed mockup.
  ///
  /// - Parameters:
  ///   - mockup: The id of a completed mockup. A mockup that is already rejected keeps its first
  ///     reason.
  ///   - user: The owner of the mockup.
  ///   - reason: The reason, up to 2000 characters, which becomes the mockup's error message; may
  ///     be empty.
  public func reject(
    _ mockup: UUID, of user: UUID, reason: String = ""
  ) async throws(RPCError) -> Mockup {
    let request = RejectMockupRequest(
      userID: user.wireText, mockupID: mockup.wireText, reason: reason)
    return try Self.required(try await stub.rejectMockup(request, options: options).mockup)
  }

  /// Deletes a mockup.
  ///
  /// Its credits are released unless the vendor may have charged: while a worker makes the mockup,
  /// or if an attempt of the round was reported with `mayBeCharged` or its lease expired. They then
  /// stay held until the reservation is settled. Deleting a mockup that does not exist succeeds.
  public func delete(
    _ mockup: UUID, of user: UUID
  ) async throws(RPCError) -> DeleteMockupResponse {
    let request = DeleteMockupRequest(userID: user.wireText, mockupID: mockup.wireText)
    return try await stub.deleteMockup(request, options: options)
  }

  /// Returns the mockup of a response.
  static func required(_ mockup: Mockup?) throws(RPCError) -> Mockup {
    guard let mockup else {
      throw RPCError(code: .internalError, message: "the response has no mockup")
    }
    return mockup
  }
}

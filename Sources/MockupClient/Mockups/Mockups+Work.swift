public import FoundationEssentials
public import MockupAPI
public import TTRPC

/// A picture that a worker made, and what the vendor charged for it.
public struct MockupCompletion: Sendable, Hashable {
  public var fileURL: String
  public var fileKey: String
  public var thumbnailURL = ""
  /// The vendor's render.
  public var renderID = ""
  /// What the vendor answered, as a JSON object.
  public var metadataJSON = ""
  /// 0 to 1; `nil`: not judged.
  public var qualityScore: Double?
  /// What the vendor charged; `nil`: all that is set aside.
  public var credits: Int?
  /// The vendor may have charged more than was set aside: take it from what is available.
  public var allowsOverrun = false

  public init(fileURL: String, fileKey: String, credits: Int? = nil) {
    self.fileURL = fileURL
    self.fileKey = fileKey
    self.credits = credits
  }
}

// What workers call. ``Mockups/withClaimedMockups(worker:concurrency:lease:_:)`` does all of it.

extension Mockups {
  /// Leases the oldest pending mockups.
  ///
  /// Each call claims anew: one whose answer is lost leaves its mockups to their leases' end.
  ///
  /// - Parameters:
  ///   - worker: Names the worker in logs and lists.
  ///   - count: How many at most, up to 100.
  ///   - lease: How long they are the worker's, in whole seconds, up to an hour.
  ///   - wait: How long to wait where nothing is pending, in whole seconds, up to a minute.
  public func claim(
    worker: String, count: Int = 1, lease: Duration = .seconds(60), wait: Duration? = nil
  ) async throws(RPCError) -> [ClaimedMockup] {
    let request = ClaimMockupsRequest(
      worker: worker,
      count: try .atLeastOne(count, "count"),
      leaseSeconds: try .seconds(lease, "lease"),
      waitSeconds: try .seconds(wait, "wait"))
    var options = options
    if let wait { options.timeout = options.timeout.map { $0 + wait } }
    return try await stub.claimMockups(request, options: options).mockups
  }

  /// Renews the lease of a claimed mockup, and returns when it ends now.
  public func heartbeat(
    _ claimed: ClaimedMockup, lease: Duration = .seconds(60)
  ) async throws(RPCError) -> Date {
    let mockup = try Self.present(claimed.mockup)
    let request = HeartbeatMockupRequest(
      userID: mockup.userID, mockupID: mockup.mockupID, attempt: claimed.attempt,
      leaseSeconds: try .seconds(lease, "lease"))
    let response = try await stub.heartbeatMockup(request, options: options)
    return response.leaseExpiresAt?.date ?? .distantPast
  }

  /// Reports a picture, and has it charged.
  public func complete(
    _ claimed: ClaimedMockup, _ completion: MockupCompletion
  ) async throws(RPCError) -> CompleteMockupResponse {
    let mockup = try Self.present(claimed.mockup)
    var request = CompleteMockupRequest(
      userID: mockup.userID,
      mockupID: mockup.mockupID,
      attempt: claimed.attempt,
      fileURL: completion.fileURL,
      fileKey: completion.fileKey,
      thumbnailURL: completion.thumbnailURL,
      dmRenderID: completion.renderID,
      dmMetadataJSON: completion.metadataJSON,
      qualityScore: completion.qualityScore,
      allowOverrun: completion.allowsOverrun)
    if let credits = completion.credits {
      guard let credits = Int32(exactly: credits) else {
        throw RPCError(code: .invalidArgument, message: "credits \(credits) is out of range")
      }
      request.credits = credits
    }
    return try await stub.completeMockup(request, options: options)
  }

  /// Reports that there is no picture.
  ///
  /// - Parameters:
  ///   - error: The reason; what is beyond 2000 characters is cut off.
  ///   - mayRetry: The mockup is pending again, while it has attempts left.
  ///   - mayBeCharged: The vendor may have charged for it, so its credits stay held until an
  ///     administrator resolves the reservation. Otherwise they are released.
  public func fail(
    _ claimed: ClaimedMockup, error: String, mayRetry: Bool = false, mayBeCharged: Bool = false
  ) async throws(RPCError) -> FailMockupResponse {
    let mockup = try Self.present(claimed.mockup)
    let request = FailMockupRequest(
      userID: mockup.userID, mockupID: mockup.mockupID, attempt: claimed.attempt,
      errorMessage: Self.storable(error), mayRetry: mayRetry, mayBeCharged: mayBeCharged)
    return try await stub.failMockup(request, options: options)
  }

  /// A text as the server takes it: of 2000 characters at most, without U+0000.
  private static func storable(_ text: String) -> String {
    let scalars = text.unicodeScalars.lazy.filter { $0 != "\0" }.prefix(2000)
    return String(String.UnicodeScalarView(scalars))
  }
}

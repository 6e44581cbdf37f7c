public import FoundationEssentials
public import MockupAPI
public import TTRPC

/// A picture that a worker has made, and the credits that the vendor charged for it.
public struct MockupCompletion: Sendable, Hashable {
  /// The URL of the picture, 1 to 4096 bytes.
  public var fileURL: String
  /// The storage key of the picture, 1 to 4096 bytes.
  public var fileKey: String
  /// The URL of the thumbnail, at most 4096 bytes; empty if there is none.
  public var thumbnailURL = ""
  /// The vendor's id of the render, at most 200 characters; empty if there is none.
  public var renderID = ""
  /// The vendor's response as a JSON object, at most 65,536 bytes; empty if there is none.
  public var metadataJSON = ""
  /// The quality of the picture from 0 to 1; `nil` if it was not rated.
  public var qualityScore: Double?
  /// The credits that the vendor charged; `nil` means all reserved credits.
  public var credits: Int?
  /// True if `credits` may exceed the reserved credits, by up to the user's available credits.
  public var allowsOverrun = false

  /// Creates a completion.
  ///
  /// - Parameters:
  ///   - fileURL: The URL of the picture, 1 to 4096 bytes.
  ///   - fileKey: The storage key of the picture, 1 to 4096 bytes.
  ///   - credits: The credits that the vendor charged; `nil` means all reserved credits.
  public init(fileURL: String, fileKey: String, credits: Int? = nil) {
    self.fileURL = fileURL
    self.fileKey = fileKey
    self.credits = credits
  }
}

// The calls of workers. `withClaimedMockups` makes all of them.

extension Mockups {
  /// Claims the oldest pending mockups for a worker, and leases them to it.
  ///
  /// Each call makes new claims and is not retried. If its response is lost, the claimed mockups
  /// are not available until their leases expire.
  ///
  /// - Parameters:
  ///   - worker: The worker's name, 1 to 200 characters, which is stored in `mockupd.mockup_jobs`.
  ///   - count: The maximum number of mockups, 1 to 100.
  ///   - lease: The duration of the leases, rounded up to whole seconds, up to one hour.
  ///   - wait: The time to wait for a mockup if none is pending, rounded up to whole seconds, up to
  ///     60 seconds; `nil` does not wait. It extends the client's timeout.
  public func claim(
    worker: String, count: Int = 1, lease: Duration = .seconds(60), wait: Duration? = nil
  ) async throws(RPCError) -> [ClaimedMockup] {
    let request = ClaimMockupsRequest(
      worker: worker,
      count: try .wire(count, "count", in: 1 ... .max),
      leaseSeconds: try .seconds(lease, "lease"),
      waitSeconds: try .seconds(wait, "wait"))
    var options = options
    if let wait { options.timeout = options.timeout.map { $0 + wait } }
    return try await stub.claimMockups(request, options: options).mockups
  }

  /// Renews the lease of a claimed mockup.
  ///
  /// - Parameters:
  ///   - claimed: A result of ``claim(worker:count:lease:wait:)``. Its `attempt` is the fencing
  ///     token.
  ///   - lease: The duration of the lease from now, rounded up to whole seconds, up to one hour.
  /// - Returns: The time at which the renewed lease expires.
  /// - Throws: FAILED_PRECONDITION if the attempt is over: the mockup was completed, failed,
  ///   claimed again, or made pending again after its lease expired.
  public func heartbeat(
    _ claimed: ClaimedMockup, lease: Duration = .seconds(60)
  ) async throws(RPCError) -> Date {
    let mockup = try Self.required(claimed.mockup)
    let request = HeartbeatMockupRequest(
      userID: mockup.userID, mockupID: mockup.mockupID, attempt: claimed.attempt,
      leaseSeconds: try .seconds(lease, "lease"))
    let response = try await stub.heartbeatMockup(request, options: options)
    return response.leaseExpiresAt?.date ?? .distantPast
  }

  /// Completes a claimed mockup with its picture, and charges the credits.
  public func complete(
    _ claimed: ClaimedMockup, _ completion: MockupCompletion
  ) async throws(RPCError) -> CompleteMockupResponse {
    let mockup = try Self.required(claimed.mockup)
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
    if let credits = completion.credits { request.credits = try .wire(credits, "credits") }
    return try await stub.completeMockup(request, options: options)
  }

  /// Reports that a claimed mockup has no picture.
  ///
  /// - Parameters:
  ///   - claimed: A result of ``claim(worker:count:lease:wait:)``. Its `attempt` is the fencing
  ///     token.
  ///   - error: The reason, which becomes the mockup's error message; truncated to 2000 characters.
  ///   - mayRetry: If `true`, the mockup becomes pending again, if it has attempts left.
  ///   - mayBeCharged: True if the vendor may have charged for this attempt. If the mockup fails,
  ///     its credits are released, unless this or an earlier attempt of the round was reported so,
  ///     or the lease of an earlier one expired: then they stay held until an administrator
  ///     resolves the reservation.
  public func fail(
    _ claimed: ClaimedMockup, error: String, mayRetry: Bool = false, mayBeCharged: Bool = false
  ) async throws(RPCError) -> FailMockupResponse {
    let mockup = try Self.required(claimed.mockup)
    let request = FailMockupRequest(
      userID: mockup.userID, mockupID: mockup.mockupID, attempt: claimed.attempt,
      errorMessage: Self.storable(error), mayRetry: mayRetry, mayBeCharged: mayBeCharged)
    return try await stub.failMockup(request, options: options)
  }

  /// Returns the text in the form that the server accepts: at most 2000 characters, without U+0000.
  private static func storable(_ text: String) -> String {
    let scalars = text.unicodeScalars.lazy.filter { $0 != "\0" }.prefix(2000)
    return String(String.UnicodeScalarView(scalars))
  }
}

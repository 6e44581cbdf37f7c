public import MockupAPI
internal import MockupDatabase
internal import MockupCore
public import TTRPC

// The methods of workers.

extension MockupService {
  /// The interval at which a waiting claim checks for pending mockups.
  private static let pollInterval: Duration = .milliseconds(250)

  /// Leases the oldest pending mockups to a worker, and waits for one if asked to.
  public func claimMockups(
    _ request: ClaimMockupsRequest, context: ServerContext
  ) async throws -> ClaimMockupsResponse {
    let claim = try request.claim()
    // A waiting claim ends when the server drains, so that it does not delay the end of the server.
    if claim.wait > .zero { context.endAtDrain() }
    let end = ContinuousClock.now + claim.wait
    while true {
      let claimed = try await answer(context) { () throws(MockupError) in
        try await store.claim(
          worker: claim.worker, count: claim.count, lease: claim.lease,
          maximumBytes: Int32(limit.pageBytes))
      }
      let response = ClaimMockupsResponse(mockups: claimed.map { MockupAPI.ClaimedMockup($0) })
      // The store limits the size of a claim, except that it always claims the first mockup.
      if let first = claimed.first, claimed.count == 1, !limit.fits(response) {
        try await failOversized(first.mockup, context)
        continue
      }
      let rest = end - .now
      guard claimed.isEmpty, rest > .zero else { return response }
      try await Task.sleep(for: min(rest, Self.pollInterval))
    }
  }

  /// Fails a mockup that is too large to send to a worker.
  private func failOversized(
    _ mockup: MockupCore.Mockup, _ context: ServerContext
  ) async throws(RPCError) {
    let attempt = MockupAttempt(
      userID: mockup.userID, mockupID: mockup.id, number: mockup.attempt)
    _ = try await answer(context) { () throws(MockupError) in
      try await store.fail(
        attempt, because: "the mockup exceeds the \(limit.bytes) bytes of a response to a worker",
        mayRetry: false)
    }
  }

  /// Renews the lease of a claimed mockup.
  public func heartbeatMockup(
    _ request: HeartbeatMockupRequest, context: ServerContext
  ) async throws -> HeartbeatMockupResponse {
    let attempt = try MockupAttempt(
      user: request.userID, mockup: request.mockupID, attempt: request.attempt)
    let lease = try MockupFields.lease(request.leaseSeconds)
    let expiresAt = try await answer(context) { () throws(MockupError) in
      try await store.heartbeat(attempt, lease: lease)
    }
    return HeartbeatMockupResponse(leaseExpiresAt: Timestamp(expiresAt))
  }

  /// Completes a claimed mockup with its picture, and charges its credits.
  public func completeMockup(
    _ request: CompleteMockupRequest, context: ServerContext
  ) async throws -> CompleteMockupResponse {
    let attempt = try MockupAttempt(
      user: request.userID, mockup: request.mockupID, attempt: request.attempt)
    let picture = try request.picture()
    return CompleteMockupResponse(
      try await answer(context) { () throws(MockupError) in
        try await store.complete(
          attempt, with: picture, credits: request.credits, allowsOverrun: request.allowOverrun)
      })
  }

  /// Fails a claimed mockup, or makes it pending for another attempt.
  public func failMockup(
    _ request: FailMockupRequest, context: ServerContext
  ) async throws -> FailMockupResponse {
    let attempt = try MockupAttempt(
      user: request.userID, mockup: request.mockupID, attempt: request.attempt)
    try RequestFields.length(
      request.errorMessage, MockupFields.reasonLength, "error_message")
    return FailMockupResponse(
      try await answer(context) { () throws(MockupError) in
        try await store.fail(
          attempt, because: request.errorMessage, mayRetry: request.mayRetry,
          mayBeCharged: request.mayBeCharged)
      })
  }
}

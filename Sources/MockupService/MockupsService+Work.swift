public import MockupAPI
internal import MockupStore
internal import Mockups
public import TTRPC

// What workers ask for.

extension MockupsService {
  /// How long a worker that waits is not looked at again.
  private static let pollInterval: Duration = .milliseconds(250)

  public func claimMockups(
    _ request: ClaimMockupsRequest, context: ServerContext
  ) async throws -> ClaimMockupsResponse {
    let claim = try request.claim()
    // Who waits does not hold up a server that drains.
    if claim.wait > .zero { context.endAtDrain() }
    let end = ContinuousClock.now + claim.wait
    while true {
      let claimed = try await answer(context) { () throws(MockupError) in
        try await store.claim(
          worker: claim.worker, count: claim.count, lease: claim.lease,
          maximumBytes: Int32(limit.pageBytes))
      }
      let response = ClaimMockupsResponse(mockups: claimed.map { MockupAPI.ClaimedMockup($0) })
      if let first = claimed.first, !limit.fits(response) {
        // Only the first is claimed however long it is.
        try await failTooLong(first.mockup, context)
        continue
      }
      let rest = end - .now
      guard claimed.isEmpty, rest > .zero else { return response }
      try await Task.sleep(for: min(rest, Self.pollInterval))
    }
  }

  /// Fails a mockup that no worker can be told of.
  private func failTooLong(
    _ mockup: Mockups.Mockup, _ context: ServerContext
  ) async throws(RPCError) {
    let attempt = MockupAttempt(
      userID: mockup.userID, mockupID: mockup.id, number: mockup.attempt)
    _ = try await answer(context) { () throws(MockupError) in
      try await store.fail(
        attempt, because: "it is longer than the \(limit.bytes) bytes of an answer to a worker",
        mayRetry: false)
    }
  }

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

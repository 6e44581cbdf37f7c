internal import TTRPC

/// A stream of the server that is restarted after its last response when it fails.
///
/// The number of restarts is not limited; the pauses between them are those of the retry policy.
/// The policy's limit of attempts applies until the first response has arrived. With
/// `RetryPolicy.never`, the stream is never restarted.
struct RestartingStream<Response: Sendable>: Sendable {
  let retry: RetryPolicy
  /// Returns the token with which the stream continues after a response.
  let token: @Sendable (Response) -> String
  /// Starts the stream after a token, or at its beginning for `nil`, and passes each response to a
  /// closure.
  let call:
    @Sendable (
      _ token: String?, _ receive: (Response) async throws -> Void
    ) async throws -> Void

  /// Passes every response to a closure, until the task is cancelled.
  ///
  /// The first response of each start only has a token; the closure gets it only once.
  ///
  /// - Throws: `RPCError` if the stream failed and a restart cannot help; any error of the closure.
  func run(after token: String?, _ receive: (Response) async throws -> Void) async throws {
    var last = token
    var hasBegun = false
    var attempt = 0
    while !Task.isCancelled {
      attempt += 1
      var responseCount = 0
      do {
        try await call(last) { response in
          responseCount += 1
          // The first response has only the starting point, so it counts as no progress.
          if responseCount > 1 { attempt = 1 }
          last = self.token(response)
          if responseCount > 1 || !hasBegun { try await receive(response) }
          hasBegun = true
        }
        throw RPCError(code: .unavailable, message: "the watch has ended")
      } catch let error as RPCError {
        if Task.isCancelled { return }
        guard
          let pause = pause(
            afterAttempt: attempt, error, hasBegun, hadResponses: responseCount > 0)
        else { throw error }
        try? await Task.sleep(for: pause)
      }
    }
  }

  /// Returns the pause before the stream is restarted, or `nil` if it is not restarted.
  private func pause(
    afterAttempt attempt: Int, _ error: RPCError, _ hasBegun: Bool, hadResponses: Bool
  ) -> Duration? {
    var policy = retry
    if hasBegun, retry.attempts > 1 { policy.attempts = .max }
    // If the reader was too slow, the stream can continue after the last response that was read. If
    // the first response is too large, it would be too large again.
    let fellBehind = error.code == .resourceExhausted && hadResponses
    let error = fellBehind ? RPCError(code: .unavailable, message: error.message) : error
    return policy.pause(afterAttempt: attempt, error)
  }
}

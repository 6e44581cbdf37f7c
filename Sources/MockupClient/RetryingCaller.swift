internal import TTRPC

/// Makes a call, and makes it again where the policy says so.
struct RetryingCaller: Sendable {
  let configuration: MockupClient.Configuration

  func call<Response>(
    _ body: (CallOptions) async throws(RPCError) -> Response
  ) async throws(RPCError) -> Response {
    let deadline = configuration.timeout.map { ContinuousClock.now + $0 }
    var attempt = 1
    while true {
      let timeLeft = deadline.map { ContinuousClock.now.duration(to: $0) }
      let options = CallOptions(timeout: timeLeft, metadata: configuration.metadata)
      do {
        return try await body(options)
      } catch {
        guard let pause = configuration.retry.pause(afterAttempt: attempt, error) else {
          throw error
        }
        if let deadline, ContinuousClock.now + pause >= deadline { throw error }
        do {
          try await Task.sleep(for: pause)
        } catch {
          throw RPCError(code: .cancelled, message: "the caller was cancelled", cause: error)
        }
        attempt += 1
      }
    }
  }
}

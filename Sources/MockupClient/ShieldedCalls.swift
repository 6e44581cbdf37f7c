internal import TTRPC

/// Calls that have to reach the server whatever becomes of the task that makes them: commits, releases,
/// a worker's reports, counted performance.
///
/// The caller's cancellation ends neither the call nor the wait for its answer. Each call is bounded by
/// its timeout and its patience instead. A client closes its connection after the last of them.
actor ShieldedCalls {
  private static let shortestPause: Duration = .milliseconds(50)
  private static let longestPause: Duration = .seconds(2)

  /// Retries are enabled.
  private let retries: Bool
  private var running = 0
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(retry: RetryPolicy) {
    retries = retry.attempts > 1
  }

  /// Makes a call in a task of its own, which the caller's cancellation does not reach.
  ///
  /// - Parameters:
  ///   - patience: How long the call is made again while the server is unavailable or busy.
  ///   - call: Has one effect, however often it is made, and a timeout.
  func run<Value: Sendable>(
    patience: Duration = .zero,
    _ call: @escaping @Sendable () async throws(RPCError) -> Value
  ) async throws(RPCError) -> Value {
    running += 1
    defer { callEnded() }
    let patience = retries ? patience : .zero
    return try await Task { await Self.outcome(of: call, patience: patience) }.value.get()
  }

  /// Waits until every call that was begun has ended.
  func waitForAll() async {
    guard running > 0 else { return }
    await withCheckedContinuation { waiting.append($0) }
  }

  private func callEnded() {
    running -= 1
    guard running == 0 else { return }
    for waiter in waiting { waiter.resume() }
    waiting = []
  }

  private static func outcome<Value: Sendable>(
    of call: @Sendable () async throws(RPCError) -> Value, patience: Duration
  ) async -> Result<Value, RPCError> {
    let end = ContinuousClock.now + patience
    var pause = shortestPause
    while true {
      do throws(RPCError) {
        return .success(try await call())
      } catch {
        let wait = max(pause, error.retryDelay ?? .zero)
        guard error.isPassing, .now + wait < end else { return .failure(error) }
        // Nothing cancels this task.
        try? await Task.sleep(for: wait)
        pause = min(pause * 2, longestPause)
      }
    }
  }
}

extension CallOptions {
  /// The same for a call that nothing cancels: it ends in any case.
  var bounded: CallOptions {
    var options = self
    options.timeout = boundedTimeout
    return options
  }

  /// How long such a call may take.
  var boundedTimeout: Duration { timeout ?? .seconds(30) }
}

extension RPCError {
  /// Whether the same call may succeed at another time: the server or its database was unavailable, or
  /// busy. A message that is too long stays so.
  var isPassing: Bool {
    switch code {
    case .unavailable, .deadlineExceeded, .cancelled: true
    case .resourceExhausted: retryDelay != nil
    default: false
    }
  }
}

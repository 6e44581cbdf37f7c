internal import TTRPC

/// The calls that do not end when the caller's task is cancelled: commits, releases, workers'
/// reports, and performance batches.
///
/// Neither the call nor the wait for its response is cancelled. Each call is bounded by its timeout
/// and its retry timeout instead. A client closes its connection after the last of these calls.
actor ShieldedCalls {
  private static let initialPause: Duration = .milliseconds(50)
  private static let maximumPause: Duration = .seconds(2)

  /// True if the client's retry policy allows retries.
  private let retries: Bool
  private var running = 0
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(retry: RetryPolicy) {
    retries = retry.attempts > 1
  }

  /// Makes a call in an unstructured task, which is not cancelled with the caller's task.
  ///
  /// - Parameters:
  ///   - retryTimeout: The time for which the call is retried while the server is unavailable or
  ///     overloaded.
  ///   - call: The call, which must be idempotent and have a timeout.
  func run<Value: Sendable>(
    retryTimeout: Duration = .zero,
    _ call: @escaping @Sendable () async throws(RPCError) -> Value
  ) async throws(RPCError) -> Value {
    running += 1
    defer { callEnded() }
    let retryTimeout = retries ? retryTimeout : .zero
    return try await Task { await Self.outcome(of: call, retryTimeout: retryTimeout) }.value.get()
  }

  /// Waits until no call is in flight.
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
    of call: @Sendable () async throws(RPCError) -> Value, retryTimeout: Duration
  ) async -> Result<Value, RPCError> {
    let end = ContinuousClock.now + retryTimeout
    var pause = initialPause
    var isUncertain = false
    while true {
      do throws(RPCError) {
        return .success(try await call())
      } catch let last {
        let error = isUncertain ? last.afterUncertainAttempt : last
        isUncertain = isUncertain || last.mayHaveEffect
        let wait = max(pause, error.retryDelay ?? .zero)
        guard error.isTransient, .now + wait < end else { return .failure(error) }
        // This task is never cancelled.
        try? await Task.sleep(for: wait)
        pause = min(pause * 2, maximumPause)
      }
    }
  }
}

extension CallOptions {
  /// The options for a call that is never cancelled, which therefore always have a timeout.
  var bounded: CallOptions {
    var options = self
    options.timeout = boundedTimeout
    return options
  }

  /// The timeout of a call that is never cancelled: 30 seconds unless the options have one.
  var boundedTimeout: Duration { timeout ?? .seconds(30) }
}

extension RPCError {
  /// A Boolean value that indicates whether the same call may succeed later.
  ///
  /// It is true if the server or its database was unavailable or overloaded, and false if the
  /// message was too large.
  var isTransient: Bool {
    switch code {
    case .unavailable, .deadlineExceeded, .cancelled: true
    case .resourceExhausted: retryDelay != nil
    default: false
    }
  }
}

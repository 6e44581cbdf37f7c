/// A policy that decides whether a failed call is retried, and after which pause.
///
/// A call is retried after ``StatusCode/unavailable``, when the server or a system behind it cannot
/// be reached. It is also retried after ``StatusCode/resourceExhausted``, but only if the server
/// sent a retry delay: a message that is too large, for example, stays too large.
public struct RetryPolicy: Sendable {
  /// The maximum number of attempts, the first included; 1 means no retries.
  public var attempts: Int
  /// The longest pause after the first attempt; it doubles with each further attempt.
  public var initialPause: Duration
  /// The longest pause after any attempt, unless the server asks for a longer one.
  public var maximumPause: Duration
  /// The source of randomness: returns a number from 0 up to, but not including, 1.
  public var randomFraction: @Sendable () -> Double

  /// Creates a policy, by default of 6 attempts with pauses of up to 2 seconds.
  public init(
    attempts: Int = 6, initialPause: Duration = .milliseconds(50),
    maximumPause: Duration = .seconds(2),
    randomFraction: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
  ) {
    self.attempts = attempts
    self.initialPause = initialPause
    self.maximumPause = maximumPause
    self.randomFraction = randomFraction
  }

  /// A policy without retries.
  public static let never = RetryPolicy(attempts: 1)

  /// Returns the pause before the next attempt, or nil if the call should not be retried.
  ///
  /// The pause is a random part, at least half, of the longest pause for the attempt. If the server
  /// sent a retry delay, the pause is at least that long.
  ///
  /// - Parameters:
  ///   - attempt: The number of the attempt that failed, from 1.
  ///   - error: The error with which it failed.
  public func pause(afterAttempt attempt: Int, _ error: RPCError) -> Duration? {
    guard attempt < attempts, error.code == .unavailable || error.code == .resourceExhausted else {
      return nil
    }
    // Without a delay, the limit is one that a retry exceeds again, such as the message size.
    if error.code == .resourceExhausted, error.retryDelay == nil { return nil }
    let backoff = min(initialPause * (1 << min(attempt - 1, 20)), maximumPause)
    // The random part keeps clients that failed at the same time from retrying at the same time.
    let shortest = max(backoff / 2, error.retryDelay ?? .zero)
    return shortest + backoff / 2 * randomFraction()
  }
}

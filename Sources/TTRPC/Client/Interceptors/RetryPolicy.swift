/// When a call is sent again, and how soon.
///
/// Only ``StatusCode/unavailable`` and ``StatusCode/resourceExhausted`` are worth it: the server, or
/// what it stands on, was away or full.
public struct RetryPolicy: Sendable {
  /// How often a call is sent at most; 1: never again.
  public var attempts: Int
  /// The pause after the first attempt; each one after it is twice as long.
  public var initialPause: Duration
  /// The longest pause.
  public var maximumPause: Duration
  /// Where the random part of a pause comes from: a number from 0 up to 1.
  public var randomFraction: @Sendable () -> Double

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

  /// No call is sent twice.
  public static let never = RetryPolicy(attempts: 1)

  /// How long to wait before the next attempt, or nothing where there is none.
  ///
  /// - Parameter attempt: Which one has failed, from 1.
  public func pause(afterAttempt attempt: Int, _ error: RPCError) -> Duration? {
    guard attempt < attempts, error.code == .unavailable || error.code == .resourceExhausted else {
      return nil
    }
    // What cannot be sent at all will not be smaller the next time.
    if error.code == .resourceExhausted, error.retryDelay == nil { return nil }
    let backoff = min(initialPause * (1 << min(attempt - 1, 20)), maximumPause)
    // Nobody comes back before the server asks for it, and who failed together does not come back
    // together.
    let shortest = max(backoff / 2, error.retryDelay ?? .zero)
    return shortest + backoff / 2 * randomFraction()
  }
}

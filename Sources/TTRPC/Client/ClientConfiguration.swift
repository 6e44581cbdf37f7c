/// The settings of a client.
public struct ClientConfiguration: Sendable {
  /// The limits for messages and for the memory that unread ones take.
  public var limits = ClientLimits()
  /// The pauses between failed attempts to connect.
  public var backoff = ConnectionBackoff()
  /// The age at which a connection is replaced, or nil to keep it as long as it works.
  ///
  /// New calls then use a new connection, and the old one closes after its last call. A server
  /// reads a peer's groups when it connects, so a change of groups takes effect within this time.
  public var connectionAge: Duration? = .seconds(3600)
  /// The interceptors that run around each call; the first is the outermost.
  public var interceptors: [any ClientInterceptor] = []

  /// Creates the default configuration.
  public init() {}
}

/// The limits of a client for messages and memory.
public struct ClientLimits: Sendable, Hashable {
  /// The size limits for messages in both directions.
  public var wire = WireLimits()
  /// The maximum size of one stream's unread messages, in bytes.
  ///
  /// A stream above the limit ends with ``StatusCode/resourceExhausted`` after its unread messages.
  /// One message is always accepted, whatever its size.
  public var queuedBytesPerStream = 4 * 1024 * 1024
  /// The maximum size of all streams' unread messages, in bytes.
  ///
  /// Above the limit, the stream with the most unread bytes loses its unread messages and ends with
  /// ``StatusCode/resourceExhausted``.
  public var queuedBytesPerConnection = 16 * 1024 * 1024

  /// Creates the default limits.
  public init() {}

  /// The maximum size of one stream's unread messages, raised if necessary to hold the largest one.
  var effectiveQueuedBytesPerStream: Int {
    max(queuedBytesPerStream, wire.maximumMessageSize + InboundQueue.overhead)
  }
}

/// The pauses after failed attempts to connect: exponential backoff with a random part.
///
/// The longest possible pause doubles with each failure in a row, up to ``maximum``. The actual
/// pause is a random part of it, at least half, so that clients that lost a server at the same time
/// do not reconnect at the same time.
public struct ConnectionBackoff: Sendable {
  /// The longest pause after the first failure.
  public var initial: Duration
  /// The longest pause after any number of failures.
  public var maximum: Duration
  /// The source of randomness: returns a number from 0 up to, but not including, 1.
  public var randomFraction: @Sendable () -> Double

  /// Creates a backoff, by default from 20 milliseconds to 2 seconds.
  public init(
    initial: Duration = .milliseconds(20), maximum: Duration = .seconds(2),
    randomFraction: @escaping @Sendable () -> Double = { .random(in: 0..<1) }
  ) {
    self.initial = initial
    self.maximum = maximum
    self.randomFraction = randomFraction
  }

  /// Returns the pause before the next attempt.
  ///
  /// - Parameter failures: The number of failures in a row, at least 1.
  func pause(afterFailures failures: Int) -> Duration {
    let longest = min(initial * (1 << min(max(failures - 1, 0), 20)), maximum)
    return longest / 2 + longest / 2 * randomFraction()
  }
}

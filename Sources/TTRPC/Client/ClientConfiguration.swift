/// How a client keeps its connection, and what runs around its calls.
public struct ClientConfiguration: Sendable {
  public var limits = ClientLimits()
  /// How long to wait between attempts to connect that fail.
  public var backoff = ConnectionBackoff()
  /// After this time new calls go to a new connection, and the old one is closed after its last call;
  /// `nil`: a connection is kept as long as it works. A server learns a peer's groups when it
  /// connects, so this is how long a change of them may take.
  public var connectionAge: Duration? = .seconds(3600)
  /// What runs around each call, the first outermost.
  public var interceptors: [any ClientInterceptor] = []

  public init() {}
}

/// How much a client sends and holds.
public struct ClientLimits: Sendable, Hashable {
  /// The sizes of messages.
  public var wire = WireLimits()
  /// Bytes of one stream that wait to be read. Above it the call ends with
  /// ``StatusCode/resourceExhausted``. One message always has room.
  public var queuedBytesPerStream = 4 * 1024 * 1024
  /// Bytes of all streams that wait to be read. Above it the call that holds most ends with
  /// ``StatusCode/resourceExhausted``.
  public var queuedBytesPerConnection = 16 * 1024 * 1024

  public init() {}

  /// What one stream may hold, so that the longest message fits.
  var effectiveQueuedBytesPerStream: Int {
    max(queuedBytesPerStream, wire.maximumMessageSize + InboundQueue.overhead)
  }
}

/// How long to wait after an attempt to connect that failed: twice as long each time, and a random
/// part less, so that clients who lost a server together do not come back together.
public struct ConnectionBackoff: Sendable {
  /// The longest pause after the first failure.
  public var initial: Duration
  /// The longest pause of all.
  public var maximum: Duration
  /// Where the random part comes from: a number from 0 up to 1.
  public var randomFraction: @Sendable () -> Double

  public init(
    initial: Duration = .milliseconds(20), maximum: Duration = .seconds(2),
    randomFraction: @escaping @Sendable () -> Double = { .random(in: 0..<1) }
  ) {
    self.initial = initial
    self.maximum = maximum
    self.randomFraction = randomFraction
  }

  /// How long to wait after so many failures in a row, from 1: between half of the longest pause and
  /// all of it.
  func pause(afterFailures failures: Int) -> Duration {
    let longest = min(initial * (1 << min(max(failures - 1, 0), 20)), maximum)
    return longest / 2 + longest / 2 * randomFraction()
  }
}

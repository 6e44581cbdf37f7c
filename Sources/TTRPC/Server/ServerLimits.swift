/// What a server grants its peers. Each limit is answered with a clear status, or by closing the
/// connection where no call is there to answer.
public struct ServerLimits: Sendable, Hashable {
  /// The sizes of messages.
  public var wire = WireLimits()
  /// Connections open at a time. One more is closed as soon as it is accepted.
  public var connections = 4096
  /// Calls in flight on one connection. One more is refused with ``StatusCode/resourceExhausted``.
  public var callsPerConnection = 1024
  /// Calls in flight in all. One more is refused with ``StatusCode/resourceExhausted``.
  public var calls = 16_384
  /// Bytes of one stream that wait to be read, by its handler or by its peer. Above it the stream ends
  /// with ``StatusCode/resourceExhausted``. One message always has room.
  public var queuedBytesPerStream = 4 * 1024 * 1024
  /// Bytes of streams that wait on one connection, to be read by handlers or by the peer, each counted
  /// for itself. Above it the stream that holds most ends with ``StatusCode/resourceExhausted``. The
  /// same bound holds for the requests of calls in flight: above it one more is refused. And it holds
  /// for answers of other calls that the peer does not read: above it the connection is closed, since
  /// what it asked for cannot be delivered.
  public var queuedBytesPerConnection = 16 * 1024 * 1024
  /// Bytes that wait on all connections, frames included that have not arrived in whole. A connection
  /// that adds to it above that is closed.
  public var queuedBytes = 512 * 1024 * 1024
  /// Frames that one connection is read while others wait for their turn; four times as many while none
  /// does.
  public var framesPerTurn = 8
  /// Frames in a second that may cost the server work and nobody gets anything from: requests that are
  /// refused, and cancellations. A connection with more is read no faster than that.
  public var wastedFramesPerSecond = 800
  /// How long a connection may stay open with no call in flight and nothing received; `nil`: as long
  /// as it likes.
  public var idleTime: Duration?
  /// How long a thread looks for the next call of a peer that it has just answered, before it goes to sleep:
  /// about as long as it takes to wake it. Only for a peer that it is alone with and that usually calls within
  /// that time. Zero: it sleeps at once.
  public var pollTime: Duration = .microseconds(50)
  /// How long a frame that was begun may take to arrive in whole.
  public var frameTime: Duration = .seconds(30)
  /// How long a peer may read nothing while answers wait for it.
  public var writeTime: Duration = .seconds(30)
  /// How long calls that run when the server drains may take to finish.
  public var drainTime: Duration = .seconds(10)

  public init() {}

  /// What one stream may hold, so that the longest message fits.
  var effectiveQueuedBytesPerStream: Int {
    max(queuedBytesPerStream, wire.maximumMessageSize + InboundQueue.overhead)
  }
}

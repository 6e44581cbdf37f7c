/// What a server grants its peers. Each limit is answered with a clear status, or by closing the
/// connection where no call is there to answer.
public struct ServerLimits: Sendable, Hashable {
  /// The sizes of messages.
  public var wire = WireLimits()
  /// The maximum number of open connections. One more is taken from ``reservedConnections``, or closed as
  /// soon as it is accepted.
  public var connections = 4096
  /// Connections beyond ``connections`` and beyond a user's ``PeerBudget/connections``, so that health
  /// checks are answered however full the server is. At most two are one user's. Such a connection only
  /// gets what is answered from memory (``Method/immediate(_:_:_:)``) and HTTP, and is closed after
  /// ``reservedConnectionTime``.
  public var reservedConnections = 16
  /// How long a connection from the reserve may stay open.
  public var reservedConnectionTime: Duration = .seconds(5)
  /// The maximum number of calls in flight on one connection, endless calls excluded. One more is refused
  /// with ``StatusCode/resourceExhausted``.
  public var callsPerConnection = 1024
  /// The maximum number of calls in flight, endless calls excluded. One more is refused with
  /// ``StatusCode/resourceExhausted``. Methods that answer from memory are not held to it.
  public var calls = 16_384
  /// The maximum number of endless calls on one connection. One more ends the oldest of the method that has
  /// most of them there, with ``StatusCode/resourceExhausted``.
  public var endlessCallsPerConnection = 1024
  /// The maximum number of endless calls: streams whose callers set no deadline. Nobody but their callers
  /// knows when they are over, and some clients do not say so when a caller is gone. They are counted
  /// apart, so that other calls always have capacity. One more is refused with
  /// ``StatusCode/resourceExhausted``.
  public var endlessCalls = 16_384
  /// Bytes of one stream that wait to be read, by its handler or by its peer. Above it the stream ends
  /// with ``StatusCode/resourceExhausted``; where its handler is the one that does not read, after
  /// ``slowReaderTime``. One message always has room.
  public var queuedBytesPerStream = 4 * 1024 * 1024
  /// Bytes of streams that wait on one connection, to be read by handlers or by the peer, each counted
  /// for itself. Above it the stream that holds most ends with ``StatusCode/resourceExhausted``; where
  /// handlers are the ones that do not read, after ``slowReaderTime``. The
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
  /// How long a connection is not read while a handler has too many messages of a stream to read
  /// (``queuedBytesPerStream``, ``queuedBytesPerConnection``). It is read again as soon as the handler has
  /// taken half of them. Where the time passes first, the stream ends with
  /// ``StatusCode/resourceExhausted``. Other calls of the same connection wait meanwhile; other
  /// connections do not.
  public var slowReaderTime: Duration = .seconds(5)
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

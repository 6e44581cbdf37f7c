/// The limits of a server.
///
/// A call that exceeds a limit fails with a status. If no particular call exceeds the limit, the
/// connection is closed.
public struct ServerLimits: Sendable, Hashable {
  /// The limits on the size of messages.
  public var wire = WireLimits()
  /// The maximum number of open connections.
  ///
  /// Further connections are taken from ``reservedConnections``, or closed as soon as they are
  /// accepted.
  public var connections = 4096
  /// The number of additional connections for health checks on a full server.
  ///
  /// They are used above ``connections`` and above a user's ``PeerBudget/connections``, at most two
  /// for each user. Such a connection serves only methods that answer from memory
  /// (``Method/immediate(_:_:_:)``) and HTTP, and is closed after ``reservedConnectionTimeout``.
  public var reservedConnections = 16
  /// The time after which a reserved connection is closed.
  public var reservedConnectionTimeout: Duration = .seconds(5)
  /// The rate at which one user may connect, in connections per second; 0 means no limit.
  ///
  /// A burst may have five times as many. Further connections wait before they are served, for at
  /// most a second. A connection that the server closes because it breaks the rules of its
  /// protocol counts as a hundred more, so that such a peer cannot connect again without end.
  public var connectionsPerSecondPerUser = 200
  /// The maximum number of calls in flight on one connection, without endless calls.
  ///
  /// Further calls get ``StatusCode/resourceExhausted``.
  public var callsPerConnection = 1024
  /// The maximum number of calls in flight on the server, without endless calls.
  ///
  /// Further calls get ``StatusCode/resourceExhausted``. Methods that answer from memory are
  /// exempt.
  public var calls = 16_384
  /// The maximum number of endless calls on one connection.
  ///
  /// Each further one ends an older one with ``StatusCode/resourceExhausted``: the oldest call of
  /// the method that has the most endless calls on the connection.
  public var endlessCallsPerConnection = 1024
  /// The maximum number of endless calls on the server.
  ///
  /// An endless call is a stream whose caller set no deadline. Only the caller knows when it ends,
  /// and some clients do not tell the server that a caller has left. Endless calls are counted
  /// separately, so that other calls always have capacity. Further endless calls get
  /// ``StatusCode/resourceExhausted``.
  public var endlessCalls = 16_384
  /// The maximum number of bytes of one stream that wait to be read by its handler or by the peer.
  ///
  /// With ttrpc, a stream with more ends with ``StatusCode/resourceExhausted``: at once if the peer
  /// does not read, and after ``slowReaderTimeout`` if the handler does not. With gRPC, this is the
  /// flow-control window of a stream's requests, and the sender waits; writers of responses wait
  /// from 64 KiB on. A stream can always hold one message of any permitted size.
  public var queuedBytesPerStream = 4 * 1024 * 1024
  /// The maximum number of bytes that wait on one connection.
  ///
  /// The limit applies to each of the following separately:
  ///
  /// - Stream messages that wait for handlers. Above the limit, the stream with the most bytes ends
  ///   with ``StatusCode/resourceExhausted`` after ``slowReaderTimeout``.
  /// - Stream messages that wait for the peer. Above the limit, the stream with the most bytes ends
  ///   with ``StatusCode/resourceExhausted`` at once.
  /// - Requests of calls in flight. Above the limit, further calls get
  ///   ``StatusCode/resourceExhausted``.
  /// - Responses that the peer has not read. Above the limit, the connection is closed, because the
  ///   responses cannot be delivered.
  public var queuedBytesPerConnection = 16 * 1024 * 1024
  /// The maximum number of bytes that wait on all connections together, incomplete frames included.
  ///
  /// Above the limit, a connection that adds bytes is closed, unless it holds no more than an equal
  /// share (`queuedBytes / connections`).
  public var queuedBytes = 512 * 1024 * 1024
  /// The read quota of a connection: the number of frames taken from it while other connections
  /// wait.
  ///
  /// If no other connection waits, the quota is four times as large. It counts two frames of gRPC
  /// as one, and is at most 16 KiB of them.
  public var framesPerRead = 8
  /// The maximum rate of wasted frames on one connection, in frames per second.
  ///
  /// A wasted frame costs the server work without a benefit to a caller: a refused request, a
  /// cancellation, a stream that ends because the peer does not read it and, with gRPC, a frame
  /// that serves no call, or 8 KiB that decompression adds to a request. A connection that sends
  /// more is read no faster than this rate, or once a second.
  public var wastedFramesPerSecond = 800
  /// The time after which an idle connection is closed; `nil` means never.
  ///
  /// A connection is idle if it has no call in flight and receives nothing.
  public var idleTimeout: Duration?
  /// The time for which a thread polls for the next call of a peer that it has just answered.
  ///
  /// The default is about the time that it takes to wake a thread. A thread polls only if no other
  /// connection on it is active and the peer usually calls again within this time. Zero disables
  /// polling.
  public var busyPollTime: Duration = .microseconds(50)
  /// The maximum time for which a ttrpc connection is not read because a handler is too slow.
  ///
  /// The server stops reading a connection when the messages that wait for handlers exceed
  /// ``queuedBytesPerStream`` or ``queuedBytesPerConnection``, and resumes when handlers have taken
  /// half of them. If the time passes first, the stream ends with ``StatusCode/resourceExhausted``.
  /// Other calls of the connection wait meanwhile; other connections do not.
  public var slowReaderTimeout: Duration = .seconds(5)
  /// The maximum time from the first byte of a frame to its last, or from the headers of a single
  /// gRPC request to its end.
  ///
  /// The frames of an HTTP/2 header list count as one.
  public var frameTimeout: Duration = .seconds(30)
  /// The maximum time for which a peer may read nothing while responses wait for it.
  public var writeTimeout: Duration = .seconds(30)
  /// The time that calls in flight have to finish when the server drains.
  public var drainTimeout: Duration = .seconds(10)

  /// Creates the default limits.
  public init() {}

  /// The maximum number of bytes of one stream, raised so that the longest message fits.
  package var effectiveQueuedBytesPerStream: Int {
    max(queuedBytesPerStream, wire.maximumMessageSize + InboundQueue.overhead)
  }
}

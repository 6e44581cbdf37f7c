public import Logging
internal import NIOCore
internal import Synchronization

/// What a handler and an interceptor know about a call besides its messages.
public struct ServerContext: Sendable {
  /// When the call ends at the latest: its task is cancelled then, and the caller is told so.
  public internal(set) var deadline: ContinuousClock.Instant?
  /// What interceptors add to each line of the call's log.
  public var logMetadata: Logger.Metadata = [:]

  let call: ServerCall

  init(_ call: ServerCall, deadline: ContinuousClock.Instant? = nil) {
    self.call = call
    self.deadline = deadline
  }

  /// Who connected, by the kernel's word.
  public var peer: PeerIdentity { call.connection.peer }

  /// What is called. An HTTP request on the socket has the service `http`, and its path's name.
  public var method: MethodDescriptor { call.method }

  /// Whether such a method is registered. Where it is not, the call ends with
  /// ``StatusCode/unimplemented``, and the names are whatever the peer made up.
  public var isKnown: Bool { call.isKnown }

  /// What the caller sent beside the request.
  public var metadata: Metadata { call.metadata }

  /// When the server took up the call.
  public var began: ContinuousClock.Instant { call.began }

  /// Where to log, with the peer and the method on every line.
  public var logger: Logger {
    var logger = connectionLogger
    // What a peer made up is cut short.
    let name = isKnown ? method.fullName : String(method.fullName.prefix(Self.longestName))
    logger[metadataKey: "method"] = "\(name)"
    for (key, value) in logMetadata { logger[metadataKey: key] = value }
    return logger
  }

  private static let longestName = 200

  var connectionLogger: Logger { call.connection.logger }

  /// What the call has moved so far.
  public var traffic: CallTraffic { call }

  /// Marks a call that has no end of its own, such as one that watches: when the server drains, it
  /// does not wait for it but ends it with ``StatusCode/unavailable`` at once.
  public func endAtDrain() {
    call.onConnection { $0.endAtDrain($1) }
  }

  /// The same call with less time: it ends after `timeout` at the latest.
  public func limited(to timeout: Duration) -> ServerContext {
    let limit = ContinuousClock.now + timeout
    guard deadline.map({ limit < $0 }) ?? true else { return self }
    var context = self
    context.deadline = limit
    call.onConnection { $0.setDeadline(of: $1, in: timeout) }
    return context
  }
}

/// What all calls of a connection share.
final class CallConnection: Sendable {
  let peer: PeerIdentity
  let logger: Logger
  let eventLoop: any EventLoop
  let keeper: NIOLoopBound<any CallKeeper>

  /// On the connection's event loop.
  init(peer: PeerIdentity, logger: Logger, eventLoop: any EventLoop, keeper: any CallKeeper) {
    self.peer = peer
    self.logger = logger
    self.eventLoop = eventLoop
    self.keeper = NIOLoopBound(keeper, eventLoop: eventLoop)
  }
}

/// What a call's handler and its connection share. It keeps account of its own traffic: one object for
/// each call, and not two.
final class ServerCall: CallTraffic, @unchecked Sendable {
  // Sendable: everything in it is constant or atomic; a subclass of a Sendable class has to say so.
  let connection: CallConnection
  let streamID: UInt32
  let method: MethodDescriptor
  let isKnown: Bool
  let metadata: Metadata
  let began: ContinuousClock.Instant
  private let earlyEnd = AtomicLazyReference<EarlyEnd>()

  init(
    _ connection: CallConnection, streamID: UInt32, method: MethodDescriptor, isKnown: Bool = true,
    metadata: Metadata = Metadata(), began: ContinuousClock.Instant = .now
  ) {
    self.connection = connection
    self.streamID = streamID
    self.method = method
    self.isKnown = isKnown
    self.metadata = metadata
    self.began = began
    super.init()
  }

  private final class EarlyEnd: Sendable {
    let reason: RPCError

    init(_ reason: RPCError) { self.reason = reason }
  }

  /// Why the call ended before its handler was done, if it did: its deadline, its caller, a drain.
  var ending: RPCError? { earlyEnd.load()?.reason }

  /// Notes why the call ends before its handler is done. The first reason counts.
  func end(_ reason: RPCError) {
    _ = earlyEnd.storeIfNil(EarlyEnd(reason))
  }

  func onConnection(_ body: @escaping @Sendable (any CallKeeper, UInt32) -> Void) {
    if connection.eventLoop.inEventLoop {
      body(connection.keeper.value, streamID)
    } else {
      connection.eventLoop.execute { [self] in body(connection.keeper.value, streamID) }
    }
  }
}

/// A connection, to the calls that run on it. Lives on the event loop.
protocol CallKeeper: AnyObject {
  func endAtDrain(_ streamID: UInt32)
  func setDeadline(of streamID: UInt32, in timeout: Duration)
  /// Ends a call in favor of a newer one, unless it has ended.
  func endDisplaced(_ streamID: UInt32, _ reason: RPCError)
}

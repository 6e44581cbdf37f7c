internal import Logging
internal import NIOCore
internal import Synchronization

/// The state that all calls of a connection share.
final class CallConnection: Sendable {
  let peer: PeerIdentity
  let logger: Logger
  let eventLoop: any EventLoop
  let controller: NIOLoopBound<any CallController>

  /// Creates the shared state, on the connection's event loop.
  init(
    peer: PeerIdentity, logger: Logger, eventLoop: any EventLoop, controller: any CallController
  ) {
    self.peer = peer
    self.logger = logger
    self.eventLoop = eventLoop
    self.controller = NIOLoopBound(controller, eventLoop: eventLoop)
  }
}

/// The functions of a connection that its calls use, on the connection's event loop.
protocol CallController: AnyObject {
  func endAtDrain(_ streamID: UInt32)
  func setDeadline(of streamID: UInt32, in timeout: Duration)
  /// Ends a call to admit a newer one. Does nothing if the call has already ended.
  func endDisplaced(_ streamID: UInt32, _ reason: RPCError)
}

/// A call: the state that its handler and its connection share.
///
/// It inherits the traffic counters, so that a call needs one allocation instead of two.
final class ServerCall: CallTraffic, @unchecked Sendable {
  // Sendable: all properties are constant or atomic. A subclass has to restate the conformance.
  let connection: CallConnection
  let streamID: UInt32
  let method: MethodDescriptor
  /// A Boolean value that indicates whether the method is registered.
  let isKnown: Bool
  let kind: CallKind
  let metadata: Metadata
  let began: ContinuousClock.Instant
  /// The number of bytes of memory that the request takes until the handler has returned.
  let requestBytes: Int
  private let earlyEnd = AtomicLazyReference<EarlyEnd>()

  init(
    _ connection: CallConnection, streamID: UInt32, method: MethodDescriptor, isKnown: Bool = true,
    kind: CallKind = .bounded, metadata: Metadata = Metadata(),
    began: ContinuousClock.Instant = .now, requestBytes: Int = 0
  ) {
    self.connection = connection
    self.streamID = streamID
    self.method = method
    self.isKnown = isKnown
    self.kind = kind
    self.metadata = metadata
    self.began = began
    self.requestBytes = requestBytes
    super.init()
  }

  convenience init(_ connection: CallConnection, _ request: CallRequest, _ kind: CallKind) {
    self.init(
      connection, streamID: request.streamID, method: request.method.descriptor,
      isKnown: request.method.isKnown, kind: kind, metadata: request.metadata,
      began: request.began, requestBytes: request.size)
  }

  private final class EarlyEnd: Sendable {
    let reason: RPCError

    init(_ reason: RPCError) { self.reason = reason }
  }

  /// The status with which the call ended before its handler returned, or `nil`.
  ///
  /// The reason is a deadline, a cancellation or a drain.
  var ending: RPCError? { earlyEnd.load()?.reason }

  /// Records the reason why the call ends before its handler returns.
  ///
  /// Only the first reason counts.
  func end(_ reason: RPCError) {
    _ = earlyEnd.storeIfNil(EarlyEnd(reason))
  }

  func onConnection(_ body: @escaping @Sendable (any CallController, UInt32) -> Void) {
    if connection.eventLoop.inEventLoop {
      body(connection.controller.value, streamID)
    } else {
      connection.eventLoop.execute { [self] in body(connection.controller.value, streamID) }
    }
  }

  /// Runs the call's handler and returns what the caller gets.
  ///
  /// The caller gets the reason if the call has ended early, and else the handler's response or
  /// status.
  func outcome(
    of work: (ServerContext) async throws -> [UInt8], _ context: ServerContext
  ) async throws(RPCError) -> [UInt8] {
    do {
      let response = try await work(context)
      if let ending { throw ending }
      return response
    } catch {
      if let ending { throw ending }
      throw RPCError(handlerError: error, logger: context.logger)
    }
  }
}

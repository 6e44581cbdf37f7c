public import Logging
package import NIOCore

/// The state that all calls of a connection share.
final class CallConnection: Sendable {
  let peer: PeerIdentity
  let logger: Logger
  let eventLoop: any EventLoop
  let controller: NIOLoopBound<any CallController>

  var now: NIODeadline { eventLoop.now }

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
  /// Does nothing if the wire format has no metadata in responses.
  func setResponseMetadata(of streamID: UInt32, initial: Metadata, trailing: Metadata)
  /// Ends a call to admit a newer one. Does nothing if the call has already ended.
  func endDisplaced(_ streamID: UInt32, _ reason: RPCError)
}

/// A call: the state that its handler and its connection share.
///
/// It inherits the traffic counters, so that a call needs one allocation instead of two.
final class ServerCall: CallTraffic, @unchecked Sendable {
  // Sendable: all properties are constant or atomic. A subclass has to restate the conformance.
  let connection: CallConnection
  let request: CallRequest
  let kind: CallKind
  private let earlyEnd = OnceReference<EarlyEnd>()

  init(_ connection: CallConnection, _ request: CallRequest) {
    self.connection = connection
    self.request = request
    kind = request.kind
    super.init()
  }

  var streamID: UInt32 { request.streamID }
  var method: MethodDescriptor { request.method.descriptor }

  private final class EarlyEnd: Sendable {
    let reason: RPCError

    init(_ reason: RPCError) { self.reason = reason }
  }

  /// The status with which the call ended before its handler returned, or `nil`.
  ///
  /// The reason is a deadline, a cancellation or a drain.
  var ending: RPCError? { earlyEnd.object?.reason }

  /// Records the reason why the call ends before its handler returns.
  ///
  /// Only the first reason counts.
  func end(_ reason: RPCError) {
    earlyEnd.setIfNil(EarlyEnd(reason))
  }

  func onConnection(_ body: @escaping @Sendable (any CallController, UInt32) -> Void) {
    if connection.eventLoop.inEventLoop {
      body(connection.controller.value, streamID)
    } else {
      connection.eventLoop.execute { [self] in body(connection.controller.value, streamID) }
    }
  }
}

/// A request for a call, as a wire format has read it.
package struct CallRequest: Sendable {
  package let streamID: UInt32
  package let method: CalledMethod
  let metadata: Metadata
  /// The time that the call may take, counted from `began`; `nil` for no limit.
  ///
  /// A value of zero or less means that the deadline has passed.
  let timeout: Duration?
  /// The time at which the server began to take the request, which may have waited for its turn.
  let began: NIODeadline
  /// The number of bytes of memory that the request takes until the handler has returned.
  package var size: Int
  /// A Boolean value that indicates whether the request arrived compressed, if it is a single one.
  package var isCompressed = false
  /// The queue of the requests, if they are a stream.
  package var requests: InboundQueue?

  package init(
    streamID: UInt32, method: CalledMethod, metadata: Metadata = Metadata(), timeout: Duration?,
    began: NIODeadline, size: Int
  ) {
    self.streamID = streamID
    self.method = method
    self.metadata = metadata
    self.timeout = timeout
    self.began = began
    self.size = size
  }

  var kind: CallKind { CallKind(method.handler, hasDeadline: timeout != nil) }
}

/// The context of a call: the peer, the method, the metadata and the deadline.
public struct ServerContext: Sendable {
  /// The time at which the server ends the call, or `nil` if it has no deadline.
  var deadline: NIODeadline?
  /// The metadata that interceptors add to each log line of the call.
  public var logMetadata: Logger.Metadata = [:]

  let call: ServerCall

  init(_ call: ServerCall, deadline: NIODeadline? = nil) {
    self.call = call
    self.deadline = deadline
  }

  /// The credentials of the peer that makes the call, as the kernel recorded them.
  public var peer: PeerIdentity { call.connection.peer }

  /// The called method.
  ///
  /// For an HTTP request, the service is `http` and the name is the path without the leading slash.
  public var method: MethodDescriptor { call.method }

  /// A Boolean value that indicates whether the method is registered.
  ///
  /// A call of an unknown method ends with ``StatusCode/unimplemented``. Its ``method`` has the
  /// names that the peer sent, which may be of any length and number.
  public var isKnown: Bool { call.request.method.isKnown }

  /// The metadata that the caller sent with the request.
  public var metadata: Metadata { call.request.metadata }

  /// A Boolean value that indicates whether the request arrived compressed.
  ///
  /// The value is false if the requests are a stream.
  public var isRequestCompressed: Bool { call.request.isCompressed }

  /// The time since the server began to take the request.
  public var elapsed: Duration { Duration(call.connection.now - call.request.began) }

  /// The logger of the call, which adds the peer and the method to every line.
  public var logger: Logger {
    var logger = connectionLogger
    // The peer chose the name of an unknown method: truncate it.
    let name = isKnown ? method.fullName : String(method.fullName.prefix(Self.maxNameCharacters))
    logger[metadataKey: "method"] = "\(name)"
    for (key, value) in logMetadata { logger[metadataKey: key] = value }
    return logger
  }

  private static let maxNameCharacters = 200

  var connectionLogger: Logger { call.connection.logger }

  /// The number of messages and bytes that the call has received and sent so far.
  public var traffic: CallTraffic { call }

  /// Marks the call as one that does not end by itself, such as a watch.
  ///
  /// When the server drains, it ends the call at once, with ``StatusCode/unavailable``, instead of
  /// waiting for it.
  public func endAtDrain() {
    call.onConnection { $0.endAtDrain($1) }
  }

  /// Sets the metadata of the response, and replaces what was set before.
  ///
  /// gRPC sends it, except pairs that HTTP/2 does not permit and names that belong to gRPC. ttrpc
  /// and HTTP/1.1 have no metadata in responses. By default, clients accept header lists of 8 KiB,
  /// in which an error's message and details take up to 6 KiB: keep the metadata below 1 KiB.
  ///
  /// - Parameters:
  ///   - initial: The metadata that precedes the first message. It has no effect after that.
  ///   - trailing: The metadata that is sent with the call's status.
  public func setResponseMetadata(
    initial: Metadata = Metadata(), trailing: Metadata = Metadata()
  ) {
    call.onConnection {
      $0.setResponseMetadata(of: $1, initial: initial, trailing: trailing)
    }
  }

  /// Returns a context whose call ends after `timeout` at the latest, counted from now.
  ///
  /// An earlier deadline stays in effect. The server enforces the new deadline.
  public func limited(to timeout: Duration) -> ServerContext {
    let limit = call.connection.now.advanced(by: timeout)
    guard deadline.map({ limit < $0 }) ?? true else { return self }
    var context = self
    context.deadline = limit
    call.onConnection { $0.setDeadline(of: $1, in: timeout) }
    return context
  }
}

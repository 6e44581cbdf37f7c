public import Logging
internal import NIOConcurrencyHelpers
internal import NIOCore

/// What a handler and an interceptor know about a call besides its messages.
public struct ServerContext: Sendable {
  /// Who connected, by the kernel's word.
  public let peer: PeerIdentity
  /// What is called. An HTTP request on the socket has the service `http`, and its path's name.
  public let method: MethodDescriptor
  /// Whether such a method is registered. Where it is not, the call ends with
  /// ``StatusCode/unimplemented``, and the names are whatever the peer made up.
  public let isKnown: Bool
  /// What the caller sent beside the request.
  public let metadata: Metadata
  /// When the call ends at the latest: its task is cancelled then, and the caller is told so.
  public internal(set) var deadline: ContinuousClock.Instant?
  /// What interceptors add to each line of the call's log.
  public var logMetadata: Logger.Metadata = [:]

  let connectionLogger: Logger
  let call: ServerCall

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

  /// What the call has moved so far.
  public var traffic: CallTraffic { call.traffic }

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

/// What a call's task and its connection share.
final class ServerCall: Sendable {
  let traffic = CallTraffic()
  private let streamID: UInt32
  private let eventLoop: any EventLoop
  private let connection: NIOLoopBound<any CallKeeper>
  private let earlyEnd = NIOLockedValueBox<RPCError?>(nil)

  init(streamID: UInt32, connection: any CallKeeper, eventLoop: any EventLoop) {
    self.streamID = streamID
    self.connection = NIOLoopBound(connection, eventLoop: eventLoop)
    self.eventLoop = eventLoop
  }

  /// Why the call ended before its handler was done, if it did: its deadline, its caller, a drain.
  var ending: RPCError? { earlyEnd.withLockedValue { $0 } }

  /// Notes why the call ends before its handler is done. The first reason counts.
  func end(_ reason: RPCError) {
    earlyEnd.withLockedValue { $0 = $0 ?? reason }
  }

  func onConnection(_ body: @escaping @Sendable (any CallKeeper, UInt32) -> Void) {
    if eventLoop.inEventLoop {
      body(connection.value, streamID)
    } else {
      eventLoop.execute { [self] in body(connection.value, streamID) }
    }
  }
}

/// A connection, to the calls that run on it. Lives on the event loop.
protocol CallKeeper: AnyObject {
  func endAtDrain(_ streamID: UInt32)
  func setDeadline(of streamID: UInt32, in timeout: Duration)
}

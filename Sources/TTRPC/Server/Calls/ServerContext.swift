public import Logging
internal import NIOCore
internal import Synchronization

/// The context of a call: the peer, the method, the metadata and the deadline.
public struct ServerContext: Sendable {
  /// The time at which the server ends the call, or `nil` if it has no deadline.
  ///
  /// The server then cancels the handler and answers with ``StatusCode/deadlineExceeded``.
  public internal(set) var deadline: ContinuousClock.Instant?
  /// The metadata that interceptors add to each log line of the call.
  public var logMetadata: Logger.Metadata = [:]

  let call: ServerCall

  init(_ call: ServerCall, deadline: ContinuousClock.Instant? = nil) {
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
  public var isKnown: Bool { call.isKnown }

  /// The metadata that the caller sent with the request.
  public var metadata: Metadata { call.metadata }

  /// The time at which the server received the beginning of the request.
  public var began: ContinuousClock.Instant { call.began }

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

  /// Returns a context whose call ends after `timeout` at the latest, counted from now.
  ///
  /// An earlier deadline stays in effect. The server enforces the new deadline.
  public func limited(to timeout: Duration) -> ServerContext {
    let limit = ContinuousClock.now + timeout
    guard deadline.map({ limit < $0 }) ?? true else { return self }
    var context = self
    context.deadline = limit
    call.onConnection { $0.setDeadline(of: $1, in: timeout) }
    return context
  }
}

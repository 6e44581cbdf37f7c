internal import Logging

/// What the library itself says to callers.
extension RPCError {
  static let deadlineExceeded = RPCError(
    code: .deadlineExceeded, message: "the call's deadline has passed")

  static let drainMessage = "the server is shutting down"

  static let draining = RPCError(code: .unavailable, message: drainMessage)

  static let slowReader = RPCError(
    code: .resourceExhausted, message: "messages come faster than the server reads them")

  static let slowPeer = RPCError(
    code: .resourceExhausted, message: "more waits to be sent than may wait")

  static let tooManyCalls = RPCError(
    code: .resourceExhausted, message: "the server has as many calls in flight as it takes",
    details: [.retryInfo(after: .milliseconds(100))]
  ).prepared()

  static let tooManyCallsOnConnection = RPCError(
    code: .resourceExhausted, message: "the connection has as many calls in flight as it may"
  ).prepared()

  static let tooManyConnections = RPCError(
    code: .resourceExhausted,
    message:
      "the server has as many connections as it takes, or this user as many as a user may have; "
      + "this connection only gets calls that are answered from memory, such as health checks",
    details: [.retryInfo(after: .seconds(1))]
  ).prepared()

  /// For an endless call that has to make way for a newer one.
  static func displaced(limit: Int, of holder: String) -> RPCError {
    RPCError(
      code: .resourceExhausted,
      message:
        "ended in favor of a newer call: \(holder) may have \(limit) streams without a deadline, "
        + "and this was the oldest")
  }

  /// For whoever still reads or writes a stream that is over.
  static let ended = RPCError(code: .cancelled, message: "the call has ended")

  static func responseTooLong(limit: Int) -> RPCError {
    RPCError(
      code: .resourceExhausted, message: "the response exceeds the limit of \(limit) bytes")
  }

  /// The status of a handler's error. The text of one that has none may hold anything, so it stays
  /// here.
  init(handlerError error: any Error, logger: @autoclosure () -> Logger) {
    switch error {
    case let error as RPCError:
      self = error
    case is CancellationError:
      self.init(code: .cancelled, message: "the call was cancelled")
    default:
      logger().error(
        "a handler failed without a status",
        metadata: ["error": "\(String(reflecting: error))"])
      self.init(code: .unknown, message: "the handler failed", cause: error)
    }
  }
}

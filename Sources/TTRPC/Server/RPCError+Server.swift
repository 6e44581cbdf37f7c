internal import Logging

/// What the library itself says to callers.
extension RPCError {
  static let deadlineExceeded = RPCError(
    code: .deadlineExceeded, message: "the call's deadline has passed")

  static let drainMessage = "the server is shutting down"

  static let draining = RPCError(code: .unavailable, message: drainMessage)

  static let slowReader = RPCError(
    code: .resourceExhausted, message: "messages come faster than they are read")

  static let slowPeer = RPCError(
    code: .resourceExhausted, message: "more waits to be sent than may wait")

  static let tooManyCalls = RPCError(
    code: .resourceExhausted, message: "the server has as many calls in flight as it takes",
    details: [.retryInfo(after: .milliseconds(100))]
  ).prepared()

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

internal import Logging

/// Errors that the server itself returns to callers.
extension RPCError {
  static let deadlineExceeded = RPCError(
    code: .deadlineExceeded, message: "the call's deadline has passed")

  static let drainMessage = "the server is shutting down"

  package static let draining = RPCError(code: .unavailable, message: drainMessage)

  /// The error of a stream whose messages the server's handler does not read.
  static let slowReader = RPCError(
    code: .resourceExhausted, message: "the server does not read the stream's messages fast enough")

  /// The error of a stream whose messages the client does not read.
  static let slowPeer = RPCError(
    code: .resourceExhausted, message: "the client does not read the stream's messages fast enough")

  static let tooManyCalls = RPCError(
    code: .resourceExhausted,
    message: "the limit on calls in flight of the server or this user is reached; retry later",
    details: [.noEffect, .retryInfo(after: .milliseconds(100))]
  ).prepared()

  static let tooManyCallsOnConnection = RPCError(
    code: .resourceExhausted, message: "the limit on calls in flight of this connection is reached",
    details: [.noEffect]
  ).prepared()

  static let tooManyRequestBytes = RPCError(
    code: .resourceExhausted,
    message: "the limit on bytes of requests in flight of this connection is reached",
    details: [.noEffect]
  ).prepared()

  static let tooManyConnections = RPCError(
    code: .resourceExhausted,
    message:
      "the limit on connections of the server or this user is reached; this connection serves only "
      + "methods that answer from memory, such as health checks",
    details: [.noEffect, .retryInfo(after: .seconds(1))]
  ).prepared()

  /// Returns the status of an endless call that is ended to admit a newer one.
  static func displaced(limit: Int, of holder: String) -> RPCError {
    RPCError(
      code: .resourceExhausted,
      message:
        "ended to admit a newer call: \(holder) may have at most \(limit) streams without a "
        + "deadline")
  }

  /// The error for readers and writers of a stream that has ended.
  package static let ended = RPCError(code: .cancelled, message: "the call has ended")

  package static func responseTooLong(limit: Int) -> RPCError {
    RPCError(
      code: .resourceExhausted, message: "the response exceeds the limit of \(limit) bytes")
  }

  /// Converts an error that a handler threw to the status that the caller gets.
  ///
  /// The text of an error other than `RPCError` may contain anything, so it is logged and not sent.
  init(handlerError error: any Error, logger: @autoclosure () -> Logger) {
    switch error {
    case let error as RPCError:
      self = error
    case is CancellationError:
      self.init(code: .cancelled, message: "the call was cancelled")
    default:
      logger().error(
        "a handler threw an error that is not an RPCError",
        metadata: ["error": "\(String(reflecting: error))"])
      self.init(code: .unknown, message: "the handler failed", cause: error)
    }
  }
}

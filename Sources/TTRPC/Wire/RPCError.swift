internal import ProtobufC

/// How a call failed: what a handler throws, and what a caller catches.
///
/// The code, message and details travel; the cause stays in the process.
public struct RPCError: Error, Sendable {
  /// What the caller can tell its program.
  public var code: StatusCode { didSet { encoded = nil } }
  /// What the caller can tell its people. It reaches the peer: no secret belongs here.
  public var message: String { didSet { encoded = nil } }
  /// What the caller's program can act on.
  public var details: [ErrorDetail] { didSet { encoded = nil } }
  /// What went wrong underneath, for the log.
  public var cause: (any Error)?
  /// The response that carries it, where it was made before.
  private(set) var encoded: [UInt8]?

  public init(
    code: StatusCode, message: String, details: [ErrorDetail] = [], cause: (any Error)? = nil
  ) {
    self.code = code
    self.message = message
    self.details = details
    self.cause = cause
  }
}

extension RPCError {
  /// The same, with all that goes over the wire made once: for an error that is kept and given often, as
  /// those are that turn callers away.
  public func prepared() -> RPCError {
    var error = self
    error.encoded = WireResponse(error: self).serialized()
    return error
  }
}

/// A part of an error that a program can act on, as `google.rpc` defines them.
public enum ErrorDetail: Sendable, Hashable {
  /// Which fields of the request were wrong, and how (`google.rpc.BadRequest`).
  case badRequest([FieldViolation])
  /// How long to wait before the call is worth sending again (`google.rpc.RetryInfo`).
  case retryInfo(after: Duration)
  /// A detail this library does not know: its type URL and its bytes.
  case other(typeURL: String, value: [UInt8])
}

/// A field of a request and what is wrong with it.
public struct FieldViolation: Sendable, Hashable {
  /// The field's name in the `.proto` file.
  public var field: String
  public var description: String

  public init(field: String, description: String) {
    self.field = field
    self.description = description
  }
}

extension RPCError {
  /// How long the server asks to wait before the call is sent again, where it said so.
  public var retryDelay: Duration? {
    for case .retryInfo(let delay) in details { return delay }
    return nil
  }

  /// The fields that the server found wrong, where it said so.
  public var fieldViolations: [FieldViolation] {
    details.flatMap { detail -> [FieldViolation] in
      if case .badRequest(let violations) = detail { violations } else { [] }
    }
  }
}

extension RPCError: CustomStringConvertible, CustomDebugStringConvertible {
  /// The code and the message, as they may be shown to anybody.
  public var description: String { "\(code): \(message)" }

  /// All there is, the cause included.
  public var debugDescription: String {
    let details = details.isEmpty ? "" : " \(details)"
    let cause = cause.map { " caused by \(String(reflecting: $0))" } ?? ""
    return "\(code): \(message)\(details)\(cause)"
  }
}

internal import ProtobufC

/// The error with which a call fails: handlers throw it, and callers catch it.
///
/// The code, the message and the details are sent to the peer. The cause stays in the process.
public struct RPCError: Error, Sendable {
  /// The status code, by which the caller's program tells errors apart.
  public var code: StatusCode { didSet { encoded = nil } }
  /// The text for the person who reads the error.
  ///
  /// It is sent to the peer, so it must not contain secrets.
  public var message: String { didSet { encoded = nil } }
  /// The machine-readable details that are sent with the code, such as a retry delay.
  public var details: [ErrorDetail] { didSet { encoded = nil } }
  /// The underlying error, for the log; it is never sent.
  public var cause: (any Error)?
  /// The serialized response, if ``prepared()`` created it; any change of the error discards it.
  private(set) var encoded: [UInt8]?

  /// Creates an error that ends a call with the given code.
  ///
  /// - Parameters:
  ///   - code: The status code, by which the caller's program tells errors apart.
  ///   - message: The text for people. It is sent to the peer, so it must not contain secrets.
  ///   - details: The machine-readable details for the peer, such as a retry delay.
  ///   - cause: The underlying error, which stays in this process.
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
  /// Returns the error with its response serialized in advance.
  ///
  /// Use it for an error that is stored and sent often, such as the refusal of a call above a
  /// limit.
  public func prepared() -> RPCError {
    var error = self
    error.encoded = WireResponse(error: self).serialized()
    return error
  }
}

/// A machine-readable detail of an error.
///
/// Source: `google/rpc/error_details.proto`.
public enum ErrorDetail: Sendable, Hashable {
  /// The invalid fields of the request (`google.rpc.BadRequest`).
  case badRequest([FieldViolation])
  /// The shortest time to wait before retrying the call (`google.rpc.RetryInfo`).
  case retryInfo(after: Duration)
  /// The cause for programs, without its metadata (`google.rpc.ErrorInfo`).
  case errorInfo(reason: String, domain: String)
  /// A detail that this library does not know or cannot parse: its type URL and serialized value.
  case other(typeURL: String, value: [UInt8])

  /// The detail of an error whose call certainly had no effect, although others with its code may
  /// have had one.
  public static let noEffect = errorInfo(reason: "NO_EFFECT", domain: "mockupd")
}

/// An invalid field of a request.
public struct FieldViolation: Sendable, Hashable {
  /// The field's name in the `.proto` file.
  public var field: String
  /// The reason why the field is invalid, for people.
  public var description: String

  /// Creates a violation for one field.
  ///
  /// - Parameters:
  ///   - field: The field's name in the `.proto` file.
  ///   - description: The reason why it is invalid, for people.
  public init(field: String, description: String) {
    self.field = field
    self.description = description
  }
}

extension RPCError {
  /// The time that the server asks to wait before a retry, or nil if it asks for none.
  public var retryDelay: Duration? {
    for case .retryInfo(let delay) in details { return delay }
    return nil
  }

  /// True if the call may have had an effect.
  ///
  /// This is about calls with a single request. A call with several may have had the effect of any
  /// of them, whatever its error.
  ///
  /// A call that was refused for its request or for the state of what it names had no effect. A
  /// call that ends with another code, such as UNAVAILABLE or DEADLINE_EXCEEDED, may have had one,
  /// unless the error has the detail ``ErrorDetail/noEffect``.
  public var mayHaveEffect: Bool {
    !code.isRefusal && !details.contains(.noEffect)
  }

  /// The fields that the server reported as invalid; empty if it reported none.
  public var fieldViolations: [FieldViolation] {
    details.flatMap { detail -> [FieldViolation] in
      if case .badRequest(let violations) = detail { violations } else { [] }
    }
  }
}

extension RPCError: CustomStringConvertible, CustomDebugStringConvertible {
  /// The code and the message, which are safe to show to a peer.
  public var description: String { "\(code): \(message)" }

  /// The code, the message, the details and the cause, for logs.
  public var debugDescription: String {
    let details = details.isEmpty ? "" : " \(details)"
    let cause = cause.map { " caused by \(String(reflecting: $0))" } ?? ""
    return "\(code): \(message)\(details)\(cause)"
  }
}

/// The status of a finished call: gRPC's codes, with the same numbers.
///
/// Source: <https://grpc.io/docs/guides/status-codes/>.
public enum StatusCode: Int32, Sendable, Hashable, CaseIterable {
  /// The call succeeded.
  case ok = 0
  /// The call was cancelled, usually by the caller.
  case cancelled = 1
  /// The handler failed with an error that has no status.
  case unknown = 2
  /// The request is invalid, whatever the state of the server.
  case invalidArgument = 3
  /// The deadline passed before the call ended; the server may still have performed it.
  case deadlineExceeded = 4
  /// The object that the request names does not exist.
  case notFound = 5
  /// The object that the request would create exists already.
  case alreadyExists = 6
  /// The caller may not call the method or may not use the object.
  case permissionDenied = 7
  /// A limit or a quota is exhausted, or a message is too large.
  case resourceExhausted = 8
  /// The state of the server does not allow the operation; a retry does not help until it changes.
  case failedPrecondition = 9
  /// A concurrent operation conflicts with this one; the caller should restart its own sequence.
  case aborted = 10
  /// A value, such as an offset, lies past the valid range for the current state.
  case outOfRange = 11
  /// The server does not have the service or the method.
  case unimplemented = 12
  /// The peer or this library broke the protocol or an invariant (`INTERNAL`).
  case internalError = 13
  /// The server, or a system that it needs, cannot be reached at the moment.
  case unavailable = 14
  /// Data was lost or corrupted and cannot be recovered.
  case dataLoss = 15
  /// The request has no valid credentials.
  case unauthenticated = 16
}

extension StatusCode {
  /// True if a call that ends with the code was refused, for its request or for the state of what
  /// it names, and had no effect.
  package var isRefusal: Bool {
    switch self {
    case .invalidArgument, .notFound, .alreadyExists, .permissionDenied, .failedPrecondition,
      .aborted, .outOfRange, .unimplemented, .unauthenticated:
      true
    case .ok, .cancelled, .unknown, .deadlineExceeded, .resourceExhausted, .internalError,
      .unavailable, .dataLoss:
      false
    }
  }
}

extension StatusCode: CustomStringConvertible {
  /// The name that gRPC's documentation uses, such as `INVALID_ARGUMENT`.
  public var description: String {
    switch self {
    case .ok: "OK"
    case .cancelled: "CANCELLED"
    case .unknown: "UNKNOWN"
    case .invalidArgument: "INVALID_ARGUMENT"
    case .deadlineExceeded: "DEADLINE_EXCEEDED"
    case .notFound: "NOT_FOUND"
    case .alreadyExists: "ALREADY_EXISTS"
    case .permissionDenied: "PERMISSION_DENIED"
    case .resourceExhausted: "RESOURCE_EXHAUSTED"
    case .failedPrecondition: "FAILED_PRECONDITION"
    case .aborted: "ABORTED"
    case .outOfRange: "OUT_OF_RANGE"
    case .unimplemented: "UNIMPLEMENTED"
    case .internalError: "INTERNAL"
    case .unavailable: "UNAVAILABLE"
    case .dataLoss: "DATA_LOSS"
    case .unauthenticated: "UNAUTHENTICATED"
    }
  }
}

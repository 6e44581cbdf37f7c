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

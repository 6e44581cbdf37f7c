internal import TTRPC

extension StatusCode {
  /// The exit code of a failed call, from sysexits.h where it has one for the status.
  var exitCode: Int32 {
    switch self {
    case .ok: 0
    case .failedPrecondition, .alreadyExists, .aborted: 1
    case .notFound: 3
    case .invalidArgument, .outOfRange: 64
    case .unavailable: 69
    case .resourceExhausted, .deadlineExceeded, .cancelled: 75
    case .permissionDenied, .unauthenticated: 77
    case .unknown, .unimplemented, .internalError, .dataLoss: 70
    }
  }
}

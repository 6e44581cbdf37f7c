internal import StandardStreams
internal import TTRPC

extension CommandError {
  /// Creates the error of a failed call: its status code, its message and its details.
  init(_ error: RPCError) {
    self.init(
      lines: [error.description] + error.details.flatMap(\.lines), exitCode: error.code.exitCode)
  }

  /// Creates the error of a call of `MockupClient`: its message, and its code if it is a defect.
  init(answer error: RPCError) {
    let isDefect = error.code == .internalError || error.code == .unknown
    self.init(isDefect ? error.description : error.message, exitCode: error.code.exitCode)
  }

  /// Creates the error to show for a thrown error; `nil` for an error of the argument parser.
  init?(thrown error: any Error) {
    switch error {
    case let error as CommandError: self = error
    case let error as RPCError: self.init(error)
    default: return nil
    }
  }
}

extension ErrorDetail {
  fileprivate var lines: [String] {
    switch self {
    case .badRequest(let violations): violations.map { "  \($0.field): \($0.description)" }
    case .retryInfo(let delay): ["  retry after \(delay)"]
    case .other(let typeURL, let value): ["  \(typeURL): \(value.count) bytes"]
    }
  }
}

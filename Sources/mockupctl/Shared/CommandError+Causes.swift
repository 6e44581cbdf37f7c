internal import DynamicMessages
internal import StandardStreams
internal import TTRPC

extension CommandError {
  /// Creates the error of a failed call: its status code, its message and its details.
  ///
  /// - Parameter schema: The types by which other details are shown as JSON.
  init(_ error: RPCError, schema: Schema? = nil) {
    self.init(
      lines: [error.description] + error.details.flatMap { $0.lines(schema) },
      exitCode: error.code.exitCode)
  }

  /// Creates the error of a call of `MockupClient`: its message, and its code if it is a defect.
  init(answer error: RPCError) {
    let isDefect = error.code == .internalError || error.code == .unknown
    self.init(isDefect ? error.description : error.message, exitCode: error.code.exitCode)
  }

  /// Creates the error of a name, a JSON request, a schema or a response that cannot be used.
  ///
  /// - Parameter place: The name of the request, such as `request 1`.
  init(_ error: DynamicMessageError, in place: String? = nil) {
    self.init(
      [place, error.description].compactMap(\.self).joined(separator: ": "),
      exitCode: error.code.exitCode)
  }

  /// Creates the error to show for a thrown error; `nil` for an error of the argument parser.
  init?(thrown error: any Error) {
    switch error {
    case let error as CommandError: self = error
    case let error as RPCError: self.init(error)
    case let error as DynamicMessageError: self.init(error)
    default: return nil
    }
  }
}

extension ErrorDetail {
  fileprivate func lines(_ schema: Schema?) -> [String] {
    switch self {
    case .badRequest(let violations): violations.map { "  \($0.field): \($0.description)" }
    case .retryInfo(let delay): ["  retry after \(delay)"]
    case .other(let typeURL, let value):
      ["  \(typeURL): \(Self.json(typeURL, value, schema) ?? "\(value.count) bytes")"]
    }
  }

  private static func json(_ typeURL: String, _ value: [UInt8], _ schema: Schema?) -> String? {
    let name = typeURL.split(separator: "/").last.map { String($0) } ?? typeURL
    return try? schema?.message(name).json(fromBinary: value).text()
  }
}

extension DynamicMessageError.Code {
  /// The exit code: names and requests come from the command line, schemas and responses from the
  /// server.
  fileprivate var exitCode: Int32 {
    switch self {
    case .notFound, .json, .value: 64
    case .schema, .bytes: 70
    }
  }
}

internal import DynamicMessages
internal import Foundation
internal import Glibc
internal import TTRPC

/// What a command has come to grief over: in lines for a person, as a number for the shell.
struct Complaint: Error, Equatable {
  /// Nothing where there is nobody to read it.
  let lines: [String]
  let exitCode: Int32

  init(_ lines: [String], exitCode: Int32) {
    self.lines = lines.map(\.printable)
    self.exitCode = exitCode
  }

  /// - Parameter schema: What is known of the types of details.
  init(_ error: RPCError, schema: Schema? = nil) {
    self.init(
      [error.description] + error.details.flatMap { $0.lines(schema) },
      exitCode: error.code.exitCode)
  }

  init(_ error: DynamicMessageError, in place: String? = nil) {
    self.init(
      [[place, error.description].compactMap(\.self).joined(separator: ": ")],
      exitCode: error.code.exitCode)
  }

  /// What the system says about reading or writing.
  init(_ what: String, systemError: Int32) {
    self.init(["\(what): \(unsafe String(cString: strerror(systemError)))"], exitCode: 74)
  }

  /// What a command throws, where it is for people; `nil` for what the command line's own parser says.
  init?(thrown error: any Error) {
    switch error {
    case let complaint as Complaint: self = complaint
    case let error as RPCError: self.init(error)
    case let error as DynamicMessageError: self.init(error)
    default: return nil
    }
  }

  /// Writes it to standard error.
  func write() {
    guard !lines.isEmpty else { return }
    let text = "mockupctl: \(lines.joined(separator: "\n"))\n"
    // Where nobody reads this either, the exit code has to do.
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}

extension ErrorDetail {
  fileprivate func lines(_ schema: Schema?) -> [String] {
    switch self {
    case .badRequest(let violations): violations.map { "  \($0.field): \($0.description)" }
    case .retryInfo(let delay): ["  try again after \(delay)"]
    case .other(let typeURL, let value):
      ["  \(typeURL): \(Self.json(typeURL, value, schema) ?? "\(value.count) bytes")"]
    }
  }

  private static func json(_ typeURL: String, _ value: [UInt8], _ schema: Schema?) -> String? {
    let name = typeURL.split(separator: "/").last.map { String($0) } ?? typeURL
    return try? schema?.message(name).json(fromBinary: value).text()
  }
}

extension String {
  /// The text without what a terminal would obey: it may be a peer's.
  var printable: String {
    var text = ""
    text.unicodeScalars.append(
      contentsOf: unicodeScalars.filter { $0.properties.generalCategory != .control })
    return text
  }
}

extension StatusCode {
  /// What the shell is told, by sysexits.h where it has a word for it.
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

extension DynamicMessageError.Code {
  /// As for a status: names and requests are the command line's, descriptors and answers the server's.
  fileprivate var exitCode: Int32 {
    switch self {
    case .notFound, .json, .value: 64
    case .schema, .bytes: 70
    }
  }
}

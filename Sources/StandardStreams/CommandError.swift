internal import Glibc
internal import VisibleText

/// An error to show the user of a command, with the exit code for the shell.
public struct CommandError: Error, Equatable, Sendable {
  /// The exit code that a shell reports for a program killed by SIGPIPE: 141.
  public static let brokenPipe = 128 + SIGPIPE
  /// The exit code for a failure of input or output (`EX_IOERR` in sysexits.h).
  public static let inputOutput: Int32 = 74
  /// The exit code for an error on the command line or in a value (`EX_USAGE` in sysexits.h).
  public static let usage: Int32 = 64
  /// The exit code for a service that is not available (`EX_UNAVAILABLE` in sysexits.h).
  public static let unavailable: Int32 = 69
  /// The exit code for invalid settings (`EX_CONFIG` in sysexits.h).
  public static let configuration: Int32 = 78

  /// The message, without hidden characters; empty if nothing should be written.
  public let lines: [String]
  /// The status with which the process exits.
  public let exitCode: Int32

  /// Creates an error with a message of several lines.
  ///
  /// - Parameter lines: The message. It may contain text from other sources, because hidden
  ///   characters are escaped.
  public init(lines: [String], exitCode: Int32) {
    self.lines = lines.map { $0.visible() }
    self.exitCode = exitCode
  }

  /// Creates an error with a message of one line, in which hidden characters are escaped.
  public init(_ line: String, exitCode: Int32) {
    self.init(lines: [line], exitCode: exitCode)
  }

  /// Creates an error for a failed read or write, with the exit code ``inputOutput``.
  ///
  /// - Parameters:
  ///   - what: The action that failed, such as "cannot write to standard output".
  ///   - systemError: The system's error number (`errno`), whose text is added to the message.
  public init(_ what: String, systemError: Int32) {
    let reason = unsafe String(cString: strerror(systemError))
    self.init("\(what): \(reason)", exitCode: Self.inputOutput)
  }

  /// Returns the error with a hint added to its first line, after a semicolon.
  public func adding(_ hint: String) -> CommandError {
    guard let first = lines.first else { return self }
    return CommandError(
      lines: ["\(first); \(hint)"] + lines.dropFirst(), exitCode: exitCode)
  }
}

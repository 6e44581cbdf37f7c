internal import Glibc
internal import VisibleText

/// An error to show the user of a command, with the exit code for the shell.
public struct CommandError: Error, Equatable, Sendable {
  /// The exit code that a shell reports for a program that SIGPIPE has ended.
  public static let brokenPipe = 128 + SIGPIPE
  /// Input or output has failed (`EX_IOERR` of sysexits.h).
  public static let inputOutput: Int32 = 74
  /// A mistake on the command line or in a value (`EX_USAGE`).
  public static let usage: Int32 = 64

  /// Lines without hidden characters. There are none where nobody is left to read them.
  public let lines: [String]
  public let exitCode: Int32

  /// - Parameter lines: May hold text of others: hidden characters are written visibly.
  public init(lines: [String], exitCode: Int32) {
    self.lines = lines.map { $0.visible() }
    self.exitCode = exitCode
  }

  public init(_ line: String, exitCode: Int32) {
    self.init(lines: [line], exitCode: exitCode)
  }

  /// An error of the system while reading or writing.
  public init(_ what: String, systemError: Int32) {
    let reason = unsafe String(cString: strerror(systemError))
    self.init("\(what): \(reason)", exitCode: Self.inputOutput)
  }

  /// The error with a hint at the end of its first line.
  public func adding(_ hint: String) -> CommandError {
    guard let first = lines.first else { return self }
    return CommandError(
      lines: ["\(first); \(hint)"] + lines.dropFirst(), exitCode: exitCode)
  }
}

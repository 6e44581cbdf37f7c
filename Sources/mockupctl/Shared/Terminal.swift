internal import Foundation
internal import Glibc

/// The terminal to which a standard descriptor of the process is connected.
struct Terminal {
  /// The number of characters in a line.
  let width: Int
  /// True if escape sequences for bold text may be used: not with `NO_COLOR` (no-color.org), and
  /// not if `TERM` is `dumb`.
  let hasStyles: Bool
  /// True if the terminal can erase a line, unlike one whose `TERM` is `dumb`.
  let canErase: Bool

  /// The terminal of standard output; `nil` if it is not a terminal.
  static let output = Terminal(descriptor: STDOUT_FILENO)
  /// The terminal of standard error; `nil` if it is not a terminal.
  static let errors = Terminal(descriptor: STDERR_FILENO)

  /// The width if neither `COLUMNS` nor the terminal has one.
  private static let defaultWidth = 80

  init?(
    descriptor: Int32, environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    guard isatty(descriptor) == 1 else { return nil }
    var size = winsize()
    let hasSize = unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    self.init(size: hasSize ? Int(size.ws_col) : nil, environment: environment)
  }

  /// Creates a terminal.
  ///
  /// - Parameter size: The number of characters in a line, as the terminal reports it.
  init(size: Int?, environment: [String: String]) {
    let columns = environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    width = columns ?? size ?? Self.defaultWidth
    canErase = environment["TERM"] != "dumb"
    hasStyles = canErase && environment["NO_COLOR", default: ""].isEmpty
  }
}

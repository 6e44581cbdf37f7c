internal import StandardStreams

/// A line on the terminal of standard error that shows the progress of long work.
///
/// Without such a terminal, nothing is written. The line is not written either if standard output
/// is a terminal too and the work writes lines there.
struct Progress {
  /// The minimum time between two updates.
  private static let interval: Duration = .milliseconds(100)

  private let isShown: Bool
  private var lastUpdate: ContinuousClock.Instant?

  /// Creates a line, which is not shown before its first text.
  ///
  /// - Parameter writesOutput: True if the work writes to standard output before it ends.
  init(writesOutput: Bool) {
    isShown = Terminal.errors?.canErase == true && !(writesOutput && Terminal.output != nil)
  }

  /// Shows a text in place of the previous one, at most ten times a second.
  mutating func update(_ text: @autoclosure () -> String) async {
    guard isShown else { return }
    let now = ContinuousClock.now
    if let lastUpdate, now - lastUpdate < Self.interval { return }
    lastUpdate = now
    await StandardError.write("\r\u{1b}[K\(text())")
  }

  /// Erases the line.
  mutating func end() async {
    guard lastUpdate != nil else { return }
    lastUpdate = nil
    await StandardError.write("\r\u{1b}[K")
  }
}

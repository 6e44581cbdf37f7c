/// The time limit of every wait for an event in a test.
///
/// It is so long that only a failing test reaches it, on the slowest machine.
public let testTimeout: Duration = .seconds(600)

/// The error of a wait whose event did not occur.
public struct EventMissing: Error, CustomStringConvertible {
  /// The time limit, the event, and the source location of the wait.
  public let description: String
}

/// Waits until a condition holds, for at most ``testTimeout``.
///
/// - Parameter event: The name of the event in the error message.
/// - Throws: ``EventMissing`` after the time limit; the errors of the condition.
public func eventually(
  _ event: @autoclosure () -> String = "", file: StaticString = #fileID, line: UInt = #line,
  _ condition: () async throws -> Bool
) async throws {
  let end = ContinuousClock.now + testTimeout
  while try await !condition() {
    guard ContinuousClock.now < end else {
      throw EventMissing(description: "no event in \(testTimeout): \(event()) (\(file):\(line))")
    }
    try await Task.sleep(for: .milliseconds(2))
  }
}

/// The limit of every wait for an event that has to come. Only a test that fails reaches it, however
/// slow the machine is.
public let testTimeout: Duration = .seconds(600)

/// An event that a test waited for in vain.
public struct EventMissing: Error, CustomStringConvertible {
  public let description: String
}

/// Waits until a condition holds, for at most ``testTimeout``.
///
/// - Parameter event: What is waited for, for the error message.
/// - Throws: ``EventMissing`` when the time is over; what the condition throws.
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

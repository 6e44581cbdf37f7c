import TestSupport

extension RunningProgram {
  /// Waits until the program's standard output equals a text.
  func waitForOutput(_ text: String) async throws {
    try await eventually("standard output is \(text)") {
      if output == text { return true }
      if let ending = knownEnding {
        throw Program.Failure(description: "the program ended: \(ending)")
      }
      return false
    }
  }

  /// Waits until the program's standard error contains a text.
  func waitForErrors(_ text: String) async throws {
    try await eventually("standard error contains \(text)") {
      if errors.contains(text) { return true }
      if let ending = knownEnding {
        throw Program.Failure(description: "the program ended: \(ending)")
      }
      return false
    }
  }
}

extension RunningServer {
  /// Returns the metrics when they have all of some lines.
  @discardableResult
  func metrics(having lines: [String]) async throws -> String {
    var text = ""
    try await eventually("the metrics have \(lines)") {
      text = try await HTTP.get("/metrics", at: socket)
      return lines.allSatisfy { text.contains("\n\($0)\n") }
    }
    return text
  }
}

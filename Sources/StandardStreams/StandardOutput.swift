internal import Dispatch
internal import Glibc

/// Standard output, of which nothing is lost unnoticed.
public enum StandardOutput {
  /// Writing waits for the reader, so it has a thread of its own.
  private static let queue = DispatchQueue(label: "standard output")

  /// Whether a person reads it.
  public static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Writes a text and a line feed; the reader has it at once.
  ///
  /// - Throws: ``CommandError``, without a line where the reader has gone, as `head` does.
  public static func write(line: String) async throws(CommandError) {
    try await write("\(line)\n")
  }

  /// Writes a text; the reader has it at once.
  ///
  /// - Throws: ``CommandError``, without a line where the reader has gone, as `head` does.
  public static func write(_ text: String) async throws(CommandError) {
    try await onThread { StandardDescriptors.write(Array(text.utf8), to: STDOUT_FILENO) }
  }

  /// Closes it: some file systems report only then that they could not keep what was written.
  static func close() async throws(CommandError) {
    try await onThread { Glibc.close(STDOUT_FILENO) == 0 ? nil : errno }
  }

  private static func onThread(
    _ body: @escaping @Sendable () -> Int32?
  ) async throws(CommandError) {
    let problem = await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: body()) }
    }
    switch problem {
    case nil: break
    case EPIPE: throw CommandError(lines: [], exitCode: CommandError.brokenPipe)
    case let problem?: throw CommandError("cannot write to standard output", systemError: problem)
    }
  }
}

/// Standard error. What cannot be written there is lost: the exit code has to do.
public enum StandardError {
  /// Writing waits for the reader, so it has a thread of its own.
  private static let queue = DispatchQueue(label: "standard error")

  /// Writes a text and a line feed.
  public static func write(line: String) async {
    await withCheckedContinuation { continuation in
      queue.async {
        _ = StandardDescriptors.write(Array("\(line)\n".utf8), to: STDERR_FILENO)
        continuation.resume()
      }
    }
  }
}

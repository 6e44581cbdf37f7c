internal import Dispatch
internal import Glibc

/// Standard output, on which failed writes throw an error.
public enum StandardOutput {
  /// A thread of its own, because writing waits for the reader.
  private static let queue = DispatchQueue(label: "standard output")

  /// Writes a text and a line feed, without buffering.
  ///
  /// - Throws: ``CommandError`` if writing fails. The error has no lines if the reader has closed
  ///   the pipe, as `head` does.
  public static func write(line: String) async throws(CommandError) {
    try await write("\(line)\n")
  }

  /// Writes a text, without buffering.
  ///
  /// - Throws: ``CommandError`` if writing fails. The error has no lines if the reader has closed
  ///   the pipe, as `head` does.
  public static func write(_ text: String) async throws(CommandError) {
    try await onThread { StandardDescriptors.write(Array(text.utf8), to: STDOUT_FILENO) }
  }

  /// Closes standard output, because some file systems report failed writes only then.
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

/// Standard error, on which failed writes are ignored: the exit code still reports the error.
public enum StandardError {
  /// A thread of its own, because writing waits for the reader.
  private static let queue = DispatchQueue(label: "standard error")

  /// Writes a text and a line feed, without buffering.
  public static func write(line: String) async {
    await write("\(line)\n")
  }

  /// Writes a text, without buffering.
  public static func write(_ text: String) async {
    await withCheckedContinuation { continuation in
      queue.async {
        _ = StandardDescriptors.write(Array(text.utf8), to: STDERR_FILENO)
        continuation.resume()
      }
    }
  }
}

internal import Dispatch
internal import Glibc

/// Standard output for answers that come one by one: each is there for its reader at once.
struct StandardOutput: Sendable {
  /// Writing waits for the reader, so it has a thread of its own.
  private let queue = DispatchQueue(label: "standard output")

  /// Whether a person reads it.
  static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Writes a line, or several.
  ///
  /// - Throws: `Complaint`, without a word where the reader has gone, as `head` does.
  func write(line: String) async throws {
    try await write("\(line)\n")
  }

  func write(_ text: String) async throws {
    let problem = await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: Self.write(Array(text.utf8))) }
    }
    switch problem {
    case nil: break
    case EPIPE:
      // What a shell says of a program that SIGPIPE has ended, which NIO has the process ignore.
      throw Complaint([], exitCode: 128 + SIGPIPE)
    case let problem?:
      throw Complaint("standard output cannot be written", systemError: problem)
    }
  }

  /// - Returns: The system's number for what went wrong, if anything did.
  private static func write(_ bytes: [UInt8]) -> Int32? {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
      }
      if written >= 0 {
        rest = rest.dropFirst(written)
      } else if errno != EINTR {
        return errno
      }
    }
    return nil
  }
}

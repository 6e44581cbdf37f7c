internal import Foundation
internal import Glibc
internal import StandardStreams

/// A command that the shell runs, with this process's standard output and error.
struct ShellCommand {
  /// The capacity of a pipe in Linux, in bytes: as much can be written before the command reads.
  private static let maximumInputSize = 64 * 1024

  private let command: String

  init(_ command: String) {
    self.command = command
  }

  /// Runs the command to its end.
  ///
  /// - Parameter input: The text of its standard input, at most 64 KiB, which fit into a pipe.
  /// - Returns: The exit code; 128 and the number of the signal if a signal has ended it.
  /// - Throws: `CommandError` if the command cannot be started.
  func run(input: String) async throws(CommandError) -> Int32 {
    guard input.utf8.count <= Self.maximumInputSize else {
      throw CommandError(
        "the command's input has more than \(Self.maximumInputSize) bytes",
        exitCode: CommandError.inputOutput)
    }
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else {
      throw CommandError("cannot make a pipe", systemError: errno)
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let bytes = Array(input.utf8)
    let written = unsafe write(ends[1], bytes, bytes.count)
    close(ends[1])
    defer { close(ends[0]) }
    guard written == bytes.count else {
      throw CommandError("cannot write to a pipe", systemError: errno)
    }
    let process = try ChildProcess(
      ["/bin/sh", "-c", command],
      environment: ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" },
      input: ends[0])
    return await process.exitCode()
  }
}

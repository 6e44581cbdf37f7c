internal import Dispatch
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
    let process = try start(input: ends[0])
    return await withCheckedContinuation { continuation in
      // A thread of its own, because waiting blocks.
      DispatchQueue(label: "command").async {
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7f
        continuation.resume(returning: signal == 0 ? status >> 8 & 0xff : 128 + signal)
      }
    }
  }

  /// Starts the shell, with the signals in their default state: this process ignores SIGPIPE.
  private func start(input: Int32) throws(CommandError) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigfillset(&signals)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    let variables = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
    var arguments = unsafe Self.cStrings(["/bin/sh", "-c", command])
    var environment = unsafe Self.cStrings(variables)
    defer { unsafe (arguments + environment).forEach { unsafe free($0) } }
    var process: pid_t = 0
    let error = unsafe posix_spawn(
      &process, "/bin/sh", &actions, &attributes, &arguments, &environment)
    guard error == 0 else { throw CommandError("cannot start /bin/sh", systemError: error) }
    return process
  }

  /// Returns copies of texts, with a null pointer at the end.
  private static func cStrings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
    unsafe texts.map { unsafe strdup($0) } + [nil]
  }
}

internal import Dispatch
internal import FoundationEssentials
internal import Glibc

/// A process that this process has started.
public struct ChildProcess: Sendable {
  private let id: pid_t

  /// Starts a program, with no signal blocked or ignored.
  ///
  /// - Parameters:
  ///   - command: The path of the program, and its arguments.
  ///   - environment: The environment variables, as `NAME=VALUE`.
  ///   - input: The descriptor of its standard input; `nil` for an empty input.
  ///   - output: The path of a file for its standard output and error; `nil` for those of this
  ///     process.
  ///   - isIsolated: If true, the program inherits no other descriptors, and has a process group of
  ///     its own, so that the terminal's signals do not reach it.
  /// - Throws: ``CommandError`` if the program cannot be started.
  public init(
    _ command: [String], environment: [String], input: Int32? = nil, output: String? = nil,
    isIsolated: Bool = false
  ) throws(CommandError) {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    if let input {
      unsafe posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    } else {
      unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    }
    if let output {
      unsafe posix_spawn_file_actions_addopen(
        &actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
      unsafe posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
    }
    if isIsolated {
      let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
      for descriptor in open.compactMap({ Int32($0) }) where descriptor > STDERR_FILENO {
        unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
      }
    }

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigfillset(&signals)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    let group = isIsolated ? POSIX_SPAWN_SETPGROUP : 0
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | group))

    var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
    var variables = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer { unsafe (arguments + variables).forEach { unsafe free($0) } }
    var id: pid_t = 0
    let problem = unsafe posix_spawn(
      &id, command[0], &actions, &attributes, &arguments, &variables)
    guard problem == 0 else {
      throw CommandError("cannot start \(command[0])", systemError: problem)
    }
    self.id = id
  }

  /// Waits for the end of the process.
  ///
  /// - Returns: The exit code; 128 and the number of the signal if a signal has ended the process.
  public func exitCode() async -> Int32 {
    await withCheckedContinuation { continuation in
      // A thread of its own, because waiting blocks.
      DispatchQueue(label: "child process").async {
        var status: Int32 = 0
        while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7f
        continuation.resume(returning: signal == 0 ? status >> 8 & 0xff : 128 + signal)
      }
    }
  }
}

internal import Foundation
internal import Glibc
internal import StandardStreams

/// A program that is run to its end.
struct ExternalProgram {
  private static let environment = ["PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8"]

  let path: String
  let arguments: [String]
  /// The user who runs it; `nil` for the own user.
  let user: SystemUser?

  /// Runs the program with an empty standard input and without the own environment.
  ///
  /// - Parameter output: The path of a file for its output. It is not a pipe, because a server that
  ///   the program starts would keep it open.
  /// - Throws: `CommandError` with the output if the program fails.
  func run(output: String) async throws(CommandError) {
    // The user may have no access to the own folder.
    var command = ["/usr/bin/env", "--chdir=/"]
    if let user {
      command += ["setpriv", "--reuid", "\(user.userID)", "--regid", "\(user.groupID)"]
      command += ["--clear-groups"]
    }
    command += [path] + arguments
    let process = try Self.spawn(command, output: output)
    let status = await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
        continuation.resume(returning: status)
      }
    }
    guard status == 0 else {
      let text = FileManager.default.contents(atPath: output) ?? Data()
      let lines = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline)
      throw CommandError(lines: ["\(path) failed"] + lines.map { "  \($0)" }, exitCode: 1)
    }
  }

  /// Starts a process that inherits no descriptors, no blocked signals and no terminal's signals.
  ///
  /// Foundation's `Process` does not notice the end of a program while a server that it has started
  /// runs.
  private static func spawn(_ command: [String], output: String) throws(CommandError) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(
      &actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
    unsafe posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
    let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    for descriptor in open.compactMap({ Int32($0) }) where descriptor > STDERR_FILENO {
      unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
    }

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigfillset(&signals)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    // A process group of its own: Ctrl-C reaches only `mockupd dev`, which stops the others.
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

    var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
    var variables = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer { unsafe (arguments + variables).forEach { unsafe free($0) } }
    var process: pid_t = 0
    let problem = unsafe posix_spawn(
      &process, command[0], &actions, &attributes, &arguments, &variables)
    guard problem == 0 else { throw CommandError("cannot run \(command[0])", systemError: problem) }
    return process
  }
}

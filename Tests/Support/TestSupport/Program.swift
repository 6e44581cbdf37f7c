internal import Dispatch
public import Foundation
internal import Glibc
internal import Synchronization

/// A program of the project, which tests run as a separate process.
public enum Program: String, Sendable {
  case mockupd
  case mockupctl
  case console = "mockup-console"

  /// The result of a program that has ended.
  public struct Ending: Sendable, CustomStringConvertible {
    /// The exit code; `nil` if a signal has ended the program.
    public let exitCode: Int32?
    /// The text of standard output, if it went to a file.
    public let output: String
    /// The text of standard error, if it went to a file.
    public let errors: String

    /// The lines of standard error.
    public var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

    /// The exit code and the texts, for the messages of failed tests.
    public var description: String {
      "exit code \(exitCode.map(String.init) ?? "none")\n\(output)\n\(errors)"
    }
  }

  /// The reason why a program did not do what a test needs.
  public struct Failure: Error, CustomStringConvertible {
    /// The operation that failed, and the reason if it is known.
    public let description: String

    /// Creates a failure with a message.
    public init(description: String) {
      self.description = description
    }
  }

  /// The executable file, which the build places beside the tests.
  public var executable: URL { Self.executable(named: rawValue) }

  /// The executable file of a program that is only part of the tests.
  public static func executable(named name: String) -> URL {
    let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    return tests.deletingLastPathComponent().appending(path: name)
  }

  /// Runs the program to its end.
  ///
  /// - Parameters:
  ///   - environment: Its environment variables, besides `PATH`.
  ///   - input: The text of its standard input.
  public func run(
    _ arguments: [String], environment: [String: String] = [:], input: String = ""
  ) async throws -> Ending {
    try await withTemporaryFolder { folder in
      let file = "\(folder)/input"
      try Data(input.utf8).write(to: URL(filePath: file))
      let opened = try FileHandle(forReadingFrom: URL(filePath: file))
      return try await start(arguments, environment: environment, input: opened, folder: folder)
        .ending()
    }
  }

  /// Runs the program to its end as another user, which only root can do.
  public func run(
    as identity: Identity, _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> Ending {
    try await withTemporaryFolder { folder in
      try await RunningProgram(
        URL(filePath: "/usr/bin/setpriv"), identity.flags + [executable.path] + arguments,
        environment: environment, folder: URL(filePath: folder)
      ).ending()
    }
  }

  /// A user and its groups, by numbers that need no entry in /etc/passwd.
  public struct Identity: Sendable {
    /// The uid.
    public let userID: UInt32
    /// The primary gid.
    public let groupID: UInt32
    /// The supplementary gids.
    public let otherGroupIDs: [UInt32]

    /// Creates an identity.
    public init(userID: UInt32, groupID: UInt32, otherGroupIDs: [UInt32] = []) {
      self.userID = userID
      self.groupID = groupID
      self.otherGroupIDs = otherGroupIDs
    }

    var flags: [String] {
      let groups =
        otherGroupIDs.isEmpty
        ? ["--clear-groups"]
        : ["--groups", otherGroupIDs.map(String.init).joined(separator: ",")]
      return ["--reuid", "\(userID)", "--regid", "\(groupID)"] + groups
    }
  }

  /// Runs the program to its end in a shell, with a redirection.
  ///
  /// - Parameter redirection: A redirection of the shell, such as `>/dev/full` or `>&-`.
  public func run(
    _ redirection: String, _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> Ending {
    try await withTemporaryFolder { folder in
      try await start(redirection, arguments, environment: environment, folder: folder).ending()
    }
  }

  /// Starts the program in a shell, with a redirection.
  ///
  /// - Parameter redirection: A redirection of the shell, such as `>/dev/full` or `>&-`.
  public func start(
    _ redirection: String, _ arguments: [String], environment: [String: String] = [:],
    folder: String
  ) throws -> RunningProgram {
    try RunningProgram(
      URL(filePath: "/bin/sh"),
      ["-c", "exec \"$@\" \(redirection)", "sh", executable.path] + arguments,
      environment: environment, folder: URL(filePath: folder))
  }

  /// Starts the program.
  ///
  /// - Parameters:
  ///   - input: Its standard input; by default empty.
  ///   - output: Its standard output; `nil` for a file in the folder.
  ///   - errors: Its standard error; `nil` for a file in the folder.
  ///   - folder: A folder for this run only.
  public func start(
    _ arguments: [String], environment: [String: String] = [:],
    input: FileHandle = .nullDevice, output: FileHandle? = nil, errors: FileHandle? = nil,
    folder: String
  ) throws -> RunningProgram {
    try RunningProgram(
      executable, arguments, environment: environment, folder: URL(filePath: folder), input: input,
      output: output, errors: errors)
  }

  /// Starts the program with inherited listening sockets, as systemd does.
  public func start(
    inheriting listener: RawListener, count: Int = 1, _ arguments: [String],
    environment: [String: String] = [:], folder: String
  ) throws -> RunningProgram {
    // The shell sets LISTEN_PID to its own process id. The socket is passed as its standard input.
    let activation = """
      LISTEN_PID=$$ LISTEN_FDS=\(count) exec "$@" 3<&0 4<&0 0</dev/null
      """
    return try RunningProgram(
      URL(filePath: "/bin/sh"), ["-c", activation, "sh", executable.path] + arguments,
      environment: environment, folder: URL(filePath: folder),
      input: FileHandle(fileDescriptor: listener.descriptor, closeOnDealloc: false))
  }
}

/// A process that a test has started.
///
/// It is killed after 15 minutes.
public final class RunningProgram: Sendable {
  private struct State {
    var ending: Program.Ending?
    var waiters: [CheckedContinuation<Program.Ending, Never>] = []
  }

  private static let maxDuration: DispatchTimeInterval = .seconds(900)

  /// The process id.
  public let processID: Int32
  private let outputFile: URL
  private let errorFile: URL
  private let state: StateBox

  private final class StateBox: Sendable {
    let mutex = Mutex(State())
  }

  /// Starts an executable, whose output goes to files so that no pipe can fill up.
  public init(
    _ executable: URL, _ arguments: [String], environment: [String: String], folder: URL,
    input: FileHandle = .nullDevice, output: FileHandle? = nil, errors: FileHandle? = nil
  ) throws {
    let name = UUID().uuidString
    outputFile = folder.appending(path: "\(name).out")
    errorFile = folder.appending(path: "\(name).err")
    let state = StateBox()
    self.state = state
    let outputDescriptor = try output?.fileDescriptor ?? Self.open(outputFile)
    defer { if output == nil { close(outputDescriptor) } }
    let errorDescriptor = try errors?.fileDescriptor ?? Self.open(errorFile)
    defer { if errors == nil { close(errorDescriptor) } }
    let environment = environment.merging(
      ["PATH": "/usr/local/bin:/usr/bin:/bin"], uniquingKeysWith: { given, _ in given })
    let processID = try Self.spawn(
      [executable.path] + arguments, environment: environment,
      descriptors: [input.fileDescriptor, outputDescriptor, errorDescriptor])
    self.processID = processID
    DispatchQueue(label: "process \(processID)").async { [outputFile, errorFile] in
      // The process is reaped under the lock, so that no signal goes to another process with its
      // id.
      while waitid(P_PID, id_t(processID), nil, WEXITED | WNOWAIT) != 0, errno == EINTR {}
      let (output, errors) = (Self.text(outputFile), Self.text(errorFile))
      let (ending, waiters) = state.mutex.withLock { state in
        var status: Int32 = 0
        unsafe waitpid(processID, &status, 0)
        let wasKilled = status & 0x7f != 0
        let ending = Program.Ending(
          exitCode: wasKilled ? nil : status >> 8 & 0xff, output: output, errors: errors)
        state.ending = ending
        return (ending, exchange(&state.waiters, with: []))
      }
      for waiter in waiters { waiter.resume(returning: ending) }
    }
    DispatchQueue.global().asyncAfter(deadline: .now() + Self.maxDuration) {
      state.mutex.withLock { if $0.ending == nil { kill(processID, SIGKILL) } }
    }
  }

  /// Starts a process with standard descriptors and no others, and with no signal blocked or
  /// ignored.
  ///
  /// Foundation's `Process` sometimes crashes if many processes are started at the same time.
  private static func spawn(
    _ arguments: [String], environment: [String: String], descriptors: [Int32]
  ) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    for (number, descriptor) in descriptors.enumerated() {
      unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
    }
    for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
      guard let descriptor = Int32(name), descriptor >= descriptors.count else { continue }
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
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

    var processID: pid_t = 0
    let error = unsafe withCStrings(arguments) { list in
      unsafe withCStrings(environment.map { "\($0)=\($1)" }) { environment in
        unsafe posix_spawn(
          &processID, arguments[0], &actions, &attributes, list, environment)
      }
    }
    guard error == 0 else {
      throw Program.Failure(description: "cannot start \(arguments[0]): error \(error)")
    }
    return processID
  }

  /// Runs a closure with a list of C strings that ends with a null pointer.
  private static func withCStrings<Value>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value
  ) -> Value {
    var pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe pointers.withUnsafeMutableBufferPointer { list in
      guard let start = list.baseAddress else { preconditionFailure("the list is never empty") }
      return unsafe body(UnsafePointer(start))
    }
  }

  /// The text that was written to standard output so far.
  public var output: String { Self.text(outputFile) }

  /// The text that was written to standard error so far.
  public var errors: String { Self.text(errorFile) }

  /// Waits until the text of standard error meets a condition.
  ///
  /// - Throws: ``EventMissing``; `Program.Failure` if the program ends before.
  public func waitForErrors(where condition: (String) -> Bool) async throws -> String {
    var text = ""
    try await eventually("standard error is as expected") {
      let hasEnded = knownEnding != nil
      text = errors
      if condition(text) { return true }
      if hasEnded {
        throw Program.Failure(description: "standard error is not as expected: \(text)")
      }
      return false
    }
    return text
  }

  /// The result; `nil` while the process runs.
  public var knownEnding: Program.Ending? { state.mutex.withLock { $0.ending } }

  /// Sends a signal, unless the process has ended.
  public func signal(_ signal: Int32) {
    state.mutex.withLock { if $0.ending == nil { kill(processID, signal) } }
  }

  /// Waits until the process ends, and returns its result.
  public func ending() async -> Program.Ending {
    await withCheckedContinuation { continuation in
      let ending = state.mutex.withLock { state in
        if state.ending == nil { state.waiters.append(continuation) }
        return state.ending
      }
      if let ending { continuation.resume(returning: ending) }
    }
  }

  private static func open(_ file: URL) throws -> Int32 {
    let descriptor = unsafe Glibc.open(file.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Program.Failure(description: "cannot open \(file.path)") }
    return descriptor
  }

  private static func text(_ url: URL) -> String {
    String(decoding: (try? Data(contentsOf: url)) ?? Data(), as: UTF8.self)
  }
}

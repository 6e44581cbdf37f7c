internal import Foundation
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
    // Foundation's `Process` does not notice the end of a program while a server that it has
    // started runs. Ctrl-C must reach only `mockupd dev`, which stops the others.
    let process = try ChildProcess(
      command, environment: Self.environment, output: output, isIsolated: true)
    guard await process.exitCode() == 0 else {
      let text = FileManager.default.contents(atPath: output) ?? Data()
      let lines = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline)
      throw CommandError(lines: ["\(path) failed"] + lines.map { "  \($0)" }, exitCode: 1)
    }
  }
}

internal import ArgumentParser
internal import MockupClient
internal import StandardStreams

struct WatchAlerts: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Print the alerts of all users as they are written, or run a command for each.",
    discussion: """
      With --exec, the shell runs COMMAND for each alert, one after the other, with the alert as \
      JSON on a line of its standard input. If COMMAND exits with another code than 0, the watch \
      ends with exit code 1.

      With --state, the token of the last alert that was printed, or for which COMMAND succeeded, \
      is kept in FILE. The next watch with the same file continues after it: after a restart or a \
      crash no alert is missed, but the last one may be delivered twice. Without the file, the \
      watch begins now, and the file is made at once. Delete the file after a restore of the \
      database.

      If the server becomes unavailable, the command waits for it. Requires the role admin or \
      reader.
      """)

  @Option(
    help: ArgumentHelp("The command to run for each alert.", valueName: "command"),
    completion: .shellCommand("compgen -c"))
  var exec: String?

  @Option(help: ArgumentHelp("Continue after the alert with this token.", valueName: "token"))
  var after: String?

  @Option(
    help: ArgumentHelp("The file that keeps the token.", valueName: "file"), completion: .file())
  var state: String?

  @Option(
    help: "The output format: text for people (table), or JSON for programs (json, jsonl).")
  var output = OutputFormat.table

  @OptionGroup var server: ServerAddress

  func validate() throws {
    guard after != "" else {
      throw ValidationError("--after has no token; leave the option out to begin now")
    }
    guard after == nil || state == nil else {
      throw ValidationError("--after cannot be combined with --state")
    }
    guard output != .csv else { throw ValidationError("a watch has no output in CSV") }
  }

  func run() async throws {
    let file = state.map { TokenFile(path: $0) }
    let token = try after ?? file?.token()
    do {
      try await MockupClient.withConnection(to: .unixSocket(path: try server.path)) { client in
        for try await event in client.admin.watchAlerts(from: token) {
          try await deliver(event)
          try file?.write(event.resumeToken)
        }
      }
    } catch let error as RPCError where error.code == .invalidArgument {
      guard let file else { throw CommandError(answer: error) }
      throw CommandError(answer: error, token: "the token in \(file.path)")
        .adding(TokenFile.removalHint)
    }
  }

  private func deliver(_ event: AlertEvent) async throws {
    guard let alert = event.alert else {
      // The beginning of the watch has no other information than its token.
      guard exec == nil, output != .table else { return }
      return try await StandardOutput.write(
        output.line(Record(["resume_token": .text(event.resumeToken)])))
    }
    var record = Record(alert)
    record.fields.append(("resume_token", .text(event.resumeToken)))
    guard let exec else {
      return try await StandardOutput.write(
        output.line(output == .table ? Record(line: alert) : record))
    }
    let code = try await ShellCommand(exec).run(input: record.json.text() + "\n")
    guard code == 0 else {
      throw CommandError(
        "the command for alert \(alert.alertID) exited with code \(code)", exitCode: 1)
    }
  }
}

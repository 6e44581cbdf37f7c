internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient
internal import StandardStreams

struct ExportLedger: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Export the ledger of a user or of all users, the oldest entries first.",
    discussion: """
      With --all, the entries are ordered by user; it requires the role admin or reader.

      If the server fails, the entries before the failure are written, and the error ends with a \
      token: the same command with --after and that token continues. In CSV and jsonl, its output \
      can be added to the first file. In JSON, each output is an array of its own, and each table \
      has its own columns. If standard output fails, there is no token: export again.
      """)

  @Argument(help: "The user's id or label.")
  var user: UserArgument?

  @Flag(help: "Export the ledgers of all users.")
  var all = false

  @Option(parsing: .unconditional, help: "Only entries of this year.", transform: Int.atLeast(1))
  var year: Int?

  @Option(help: ArgumentHelp("Only entries of this month.", valueName: "YYYY-MM"))
  var month: MonthArgument?

  @Option(help: ArgumentHelp("Continue the export after this token.", valueName: "token"))
  var after = ""

  @Option(help: OutputFormat.help)
  var output = OutputFormat.csv

  @OptionGroup var server: ServerAddress

  func validate() throws {
    guard (user == nil) == all else {
      throw ValidationError("give a user, or --all for all users")
    }
    guard year == nil || month == nil else {
      throw ValidationError("--year cannot be combined with --month")
    }
  }

  func run() async throws {
    var token = after
    do {
      try await Connection.run(at: server, timeout: nil) { client in
        try await export(from: client, token: &token)
      }
    } catch let error as CommandError where canContinue(after: token, error) {
      throw error.adding("continue with --after \(token)")
    }
  }

  /// Returns true if the export can continue after a token.
  ///
  /// After failed output it cannot, since a part of the entries after the token may be written.
  private func canContinue(after token: String, _ error: CommandError) -> Bool {
    guard !token.isEmpty, error.exitCode != CommandError.inputOutput else { return false }
    return !error.lines.isEmpty && (token != after || !error.isRefusal)
  }

  private func record(_ entry: CreditUsageEntry) -> Record {
    output == .table ? Record(row: entry, ofAllUsers: all) : Record(entry, ofAllUsers: all)
  }

  /// - Parameter token: The token after whose entries the export starts, and then that of the last
  ///   entries that were written.
  private func export(from client: MockupClient, token: inout String) async throws {
    let year = month?.year ?? year
    var list = ListWriter(
      output, columns: record(CreditUsageEntry()), isContinued: !after.isEmpty)
    var progress = Progress(writesOutput: output != .table)
    var count = 0
    do {
      if let user {
        let id = try await user.id(client)
        try await client.credits.export(of: id, year: year, month: month?.month, after: after) {
          chunk in
          try await list.write(chunk.entries.map { record($0) })
          token = chunk.resumeToken
          count += chunk.entries.count
          await progress.update("\(count) entries")
        }
      } else {
        try await client.admin.export(year: year, month: month?.month, after: after) { chunk in
          try await list.write(chunk.entries.map { record($0) })
          token = chunk.resumeToken
          count += chunk.entries.count
          await progress.update("\(count) entries")
        }
      }
    } catch {
      await progress.end()
      if error is RPCError, token != after { try await list.finishAfterError() }
      throw error
    }
    await progress.end()
    try await list.finish()
  }
}

/// A month of a year on the command line, as in `2026-03`.
struct MonthArgument: ExpressibleByArgument {
  let year: Int
  let month: Int

  init?(argument: String) {
    guard let match = argument.wholeMatch(of: /([0-9]{4})-([0-9]{2})/), let year = Int(match.1),
      let month = Int(match.2), year > 0, (1...12).contains(month)
    else { return nil }
    self.year = year
    self.month = month
  }
}

internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct LedgerCommands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger", abstract: "What users have spent.",
    subcommands: [
      ShowLedger.self, ExportLedger.self, VerifyLedger.self,
    ],
    defaultSubcommand: ShowLedger.self)
}

struct ShowLedger: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show what a user has spent, the newest entry first.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Option(help: "Only this year.")
  var year: Int?

  @Option(help: "Only this month of each year, 1 to 12.")
  var month: Int?

  @Option(help: "At most so many entries; 0: all.")
  var limit = 50

  @OptionGroup var connection: Connection

  func validate() throws {
    guard limit >= 0 else { throw ValidationError("--limit is not negative.") }
  }

  func run() async throws {
    try await connection.run { client in
      var entries: [Record] = []
      for try await entry in client.credits.ledger(of: user, year: year, month: month) {
        entries.append(Record(entry))
        if entries.count == limit { break }
      }
      try connection.output.write(entries)
    }
  }
}

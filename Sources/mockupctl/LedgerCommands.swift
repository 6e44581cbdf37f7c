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

  @Option(parsing: .unconditional, help: "Only this year.", transform: Int.atLeast(1))
  var year: Int?

  @Option(
    parsing: .unconditional, help: "Only this month of each year, 1 to 12.",
    transform: Int.atLeast(1))
  var month: Int?

  @Option(
    parsing: .unconditional, help: "At most so many entries; 0: all.", transform: Int.atLeast(0))
  var limit = 50

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      var entries: [Record] = []
      for try await entry in client.credits.ledger(of: user, year: year, month: month) {
        entries.append(Record(entry))
        if entries.count == limit { break }
      }
      try await connection.output.write(entries)
    }
  }
}

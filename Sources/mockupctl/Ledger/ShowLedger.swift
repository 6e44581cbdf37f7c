internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct ShowLedger: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show the entries of a user's ledger, the newest first.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Option(parsing: .unconditional, help: "Only entries of this year.", transform: Int.atLeast(1))
  var year: Int?

  @Option(
    parsing: .unconditional, help: "Only entries of this month of each year, 1 to 12.",
    transform: Int.atLeast(1))
  var month: Int?

  @Option(
    parsing: .unconditional, help: "The maximum number of entries; 0 shows all.",
    transform: Int.atLeast(0))
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

internal import ArgumentParser
internal import MockupClient

struct ShowLedger: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show the entries of a user's ledger, the newest first.")

  @Argument(help: "The user's id or label.")
  var user: UserArgument

  @Option(parsing: .unconditional, help: "Only entries of this year.", transform: Int.atLeast(1))
  var year: Int?

  @Option(
    parsing: .unconditional, help: "Only entries of this month of each year, 1 to 12.",
    transform: Int.atLeast(1))
  var month: Int?

  @Option(
    parsing: .unconditional,
    help: "The maximum number of entries; 0 shows all. (default: \(Connection.defaultLimit))",
    transform: Int.atLeast(0))
  var limit: Int?

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let entries = client.credits.ledger(
        of: try await user.id(client), year: year, month: month)
      try await connection.write(
        entries, limit: limit, { Record($0) }, row: { Record(row: $0) })
    }
  }
}

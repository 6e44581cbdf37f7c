internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct RefundCharge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "refund",
    abstract: "Give back what an entry of the ledger charged, or a part of it.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The entry's id.")
  var entry: UUID

  @Option(help: "How many credits. (default: all that were not refunded yet)")
  var credits: Int?

  @Option(help: "The refund's id; the same id again gives the same answer. (default: a new one)")
  var id: UUID?

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let id = id ?? UUID()
      let response = try await client.credits.refund(entry, of: user, credits: credits, id: id)
      try connection.output.write(
        Record([
          "refund_id": .text(id.wireText),
          "refunded": .number(response.refunded),
          "remaining": .number(response.remaining),
          "entry_id": .id(response.entry?.entryID ?? ""),
          "replayed": .flag(response.replayed),
        ]))
    }
  }
}

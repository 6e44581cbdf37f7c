internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct RefundCharge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "refund",
    abstract: "Refund what an entry of the ledger charged, or a part of it.",
    discussion: """
      The refund's id is printed to standard error before the call, unless --id gives it: after a lost \
      answer, the same command with that --id does not refund twice.
      """)

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The entry's id.")
  var entry: UUID

  @Option(
    parsing: .unconditional, help: "How many credits. (default: all that were not refunded yet)",
    transform: Int.atLeast(1))
  var credits: Int?

  @Option(help: "The refund's id; the same id again gives the same answer. (default: a new one)")
  var id: UUID?

  @OptionGroup var connection: Connection

  func run() async throws {
    let key = IdempotencyKey(id)
    try await connection.run(under: key) { client in
      let response = try await client.credits.refund(
        entry, of: user, credits: credits, id: key.id)
      try await connection.output.write(
        Record([
          "refund_id": .text(key.id.wireText),
          "refunded": .number(response.refunded),
          "remaining": .number(response.remaining),
          "entry_id": .id(response.entry?.entryID ?? ""),
          "replayed": .flag(response.replayed),
        ]))
    }
  }
}

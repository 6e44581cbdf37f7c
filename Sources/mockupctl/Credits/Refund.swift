internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct Refund: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Refund the credits that a ledger entry charged, or a part of them.",
    discussion: """
      The id of the refund is printed to standard error before the call, unless --id gives it. If \
      the response is lost, repeat the command with that --id: it does not refund twice.
      """)

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The id of the ledger entry.")
  var entry: UUID

  @Option(
    parsing: .unconditional,
    help: "The number of credits. (default: all that were not refunded yet)",
    transform: Int.atLeast(1))
  var credits: Int?

  @Option(help: "The refund's id, which is its idempotency key. (default: a new id)")
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
          "entry_id": .optionalText(response.entry?.entryID ?? ""),
          "replayed": .flag(response.replayed),
        ]))
    }
  }
}

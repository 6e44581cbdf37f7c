internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct Commit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Commit (spend) the credits that a reservation holds, or a part of them.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The reservation's id.")
  var reservation: UUID

  @Option(
    parsing: .unconditional,
    help: "The number of credits to spend; the rest is released. (default: all)",
    transform: Int.atLeast(0))
  var credits: Int?

  @Option(help: "The idempotency key of the commit. (default: the reservation's id)")
  var commitId: UUID?

  @Flag(help: "Keep the rest held for further commits, each with a --commit-id of its own.")
  var notFinal = false

  @Flag(help: "Allow more credits than the reservation has left, if they are available.")
  var allowOverrun = false

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let response = try await client.credits.commit(
        reservation, of: user, credits: credits, commitID: commitId, isFinal: !notFinal,
        allowsOverrun: allowOverrun)
      try await connection.output.write(
        Record([
          "reservation_id": .text(reservation.wireText),
          "state": .text(response.reservation?.state.name ?? ""),
          "committed": .number(response.committed),
          "overrun": .number(response.overrun),
          "released": .number(response.released),
          "remaining": .number(response.remaining),
          "late": .flag(response.late),
          "replayed": .flag(response.replayed),
        ]))
    }
  }
}

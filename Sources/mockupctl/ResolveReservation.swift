internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct ResolveReservation: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resolve",
    abstract: "Decide what an unresolved reservation was charged.",
    discussion: """
      A reservation that was dispatched and never settled is unresolved when its time is over: the \
      vendor may have charged for it or not, as its invoice tells.
      """)

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The reservation's id.")
  var reservation: UUID

  @Option(
    parsing: .unconditional, help: "What the vendor charged; 0 gives all of it back.",
    transform: Int.atLeast(0))
  var credits: Int

  @Option(help: "Under which the same can be said again. (default: the reservation's id)")
  var id: UUID?

  @Flag(help: "More than is held may be charged, as far as it is available.")
  var allowOverrun = false

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let response = try await client.admin.resolve(
        reservation, of: user, credits: credits, resolutionID: id, allowOverrun: allowOverrun)
      try await connection.output.write(
        Record([
          "reservation_id": .text(reservation.wireText),
          "state": .text(response.reservation?.state.word ?? ""),
          "committed": .number(response.reservation?.committed ?? 0),
          "remaining_annual": .number(response.usage?.remainingAnnual ?? 0),
          "replayed": .flag(response.replayed),
        ]))
    }
  }
}

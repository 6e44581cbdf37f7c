internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct Dispatch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Mark a reservation as dispatched: the vendor is about to be called.",
    discussion: """
      A dispatched reservation keeps its credits when it expires: it is unresolved then, until it \
      is committed, released or resolved.
      """)

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The reservation's id.")
  var reservation: UUID

  @Option(
    parsing: .unconditional,
    help: "Seconds until the reservation expires, up to 86400. (default: unchanged)",
    transform: Int.atLeast(1))
  var timeToLive: Int?

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let response = try await client.credits.dispatch(
        reservation, of: user, timeToLive: timeToLive.map { .seconds($0) })
      try await connection.output.write(
        Record([
          "reservation_id": .text(reservation.wireText),
          "state": .text(response.reservation?.state.name ?? ""),
          "dispatched_at": .time(response.reservation?.dispatchedAt),
          "expires_at": .time(response.reservation?.expiresAt),
          "replayed": .flag(response.replayed),
        ]))
    }
  }
}

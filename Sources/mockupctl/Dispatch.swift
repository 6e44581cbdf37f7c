internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct Dispatch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say that the vendor is about to be called for a reservation.",
    discussion: """
      From then on its time may pass without its credits being free: it is unresolved then, until it is \
      committed or released.
      """)

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The reservation's id.")
  var reservation: UUID

  @Option(
    parsing: .unconditional,
    help: "Seconds that it stays set aside from now. (default: it ends when it did)",
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
          "state": .text(response.reservation?.state.word ?? ""),
          "dispatched_at": .time(response.reservation?.dispatchedAt),
          "expires_at": .time(response.reservation?.expiresAt),
          "replayed": .flag(response.replayed),
        ]))
    }
  }
}

struct Extend: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Keep a reservation's credits set aside for longer.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The reservation's id.")
  var reservation: UUID

  @Option(
    parsing: .unconditional, help: "Seconds that it stays set aside from now.",
    transform: Int.atLeast(1))
  var timeToLive = 900

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let response = try await client.credits.extend(
        reservation, of: user, timeToLive: .seconds(timeToLive))
      try await connection.output.write(
        Record([
          "reservation_id": .text(reservation.wireText),
          "state": .text(response.reservation?.state.word ?? ""),
          "expires_at": .time(response.reservation?.expiresAt),
        ]))
    }
  }
}

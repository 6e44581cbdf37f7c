internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct Extend: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Extend a reservation, so that it expires later.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The reservation's id.")
  var reservation: UUID

  @Option(
    parsing: .unconditional,
    help: "Seconds until the reservation expires, up to 86400. (default: 900)",
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
          "state": .text(response.reservation?.state.name ?? ""),
          "expires_at": .time(response.reservation?.expiresAt),
        ]))
    }
  }
}

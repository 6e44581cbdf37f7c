internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct Release: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Release the credits of a reservation, or of all open reservations of a group.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The reservation's id.")
  var reservation: UUID?

  @Option(help: "The id of a group, instead of a reservation.")
  var group: UUID?

  @OptionGroup var connection: Connection

  func validate() throws {
    guard (reservation == nil) != (group == nil) else {
      throw ValidationError("give either a reservation or --group")
    }
  }

  func run() async throws {
    try await connection.run { client in
      let response: ReleaseReservationResponse
      if let group {
        response = try await client.credits.releaseGroup(group, of: user)
      } else if let reservation {
        response = try await client.credits.release(reservation, of: user)
      } else {
        return
      }
      try await connection.output.write(
        Record([
          "reservation_id": .optionalText(response.reservation?.reservationID ?? ""),
          "state": .optionalText(response.reservation?.state.name ?? ""),
          "reservations": .number(response.reservations),
          "released": .number(response.released),
          "remaining": .number(response.remaining),
          "replayed": .flag(response.replayed),
        ]))
    }
  }
}

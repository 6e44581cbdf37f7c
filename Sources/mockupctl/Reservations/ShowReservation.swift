internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct ShowReservation: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reservation", abstract: "Show a reservation in its current state.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The reservation's id.")
  var reservation: UUID

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.output.write(
        Record(try await client.credits.reservation(reservation, of: user)))
    }
  }
}

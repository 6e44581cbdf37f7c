internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct ShowReservation: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reservation", abstract: "Show a reservation in its current state.")

  @Argument(help: "The user's id or label.")
  var user: UserArgument

  @Argument(help: "The reservation's id.")
  var reservation: UUID

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.output.write(
        Record(
          try await client.credits.reservation(reservation, of: try await user.id(client))))
    }
  }
}

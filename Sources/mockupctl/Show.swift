internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct ShowReservation: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reservation", abstract: "Show a reservation as it stands now.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The reservation's id.")
  var reservation: UUID

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try connection.output.write(
        Record(try await client.credits.reservation(reservation, of: user)))
    }
  }
}

struct Usage: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a user's credits: budget, used, held, remaining.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Option(help: "The year. (default: this one)")
  var year: Int?

  @Option(help: "The month, 1 to 12. (default: this one's number)")
  var month: Int?

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try connection.output.write(
        Record(try await client.credits.usage(of: user, year: year, month: month)))
    }
  }
}

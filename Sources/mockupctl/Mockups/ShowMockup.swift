internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct ShowMockup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a mockup in its current state.")

  @Argument(help: "The user's id or label.")
  var user: UserArgument

  @Argument(help: "The mockup's id.")
  var mockup: UUID

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.output.write(
        Record(try await client.mockups.mockup(mockup, of: try await user.id(client))))
    }
  }
}

internal import ArgumentParser
internal import MockupClient

struct ShowMockup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a mockup in its current state.")

  @OptionGroup var reference: MockupReference
  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.output.write(
        Record(try await client.mockups.mockup(reference.mockup, of: reference.user)))
    }
  }
}

internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct DeleteMockup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Delete a mockup, and release its credits unless the vendor may have charged.")

  @OptionGroup var reference: MockupReference
  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let response = try await client.mockups.delete(reference.mockup, of: reference.user)
      try await connection.output.write(
        Record([
          "mockup_id": .text(reference.mockup.wireText),
          "deleted": .flag(response.deleted),
          "released": .number(response.released),
        ]))
    }
  }
}

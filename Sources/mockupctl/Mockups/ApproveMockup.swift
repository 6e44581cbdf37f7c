internal import ArgumentParser
internal import MockupClient

struct ApproveMockup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approve", abstract: "Approve a completed mockup.")

  @OptionGroup var reference: MockupReference
  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.output.write(
        Record(try await client.mockups.approve(reference.mockup, of: reference.user)))
    }
  }
}

internal import ArgumentParser
internal import MockupClient

struct RejectMockup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reject", abstract: "Reject a completed mockup.")

  @OptionGroup var reference: MockupReference

  @Option(help: "The reason; more than 2000 characters are refused.")
  var reason = ""

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.output.write(
        Record(
          try await client.mockups.reject(
            reference.mockup, of: reference.user, reason: reason)))
    }
  }
}

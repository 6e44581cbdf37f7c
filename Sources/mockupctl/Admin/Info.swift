internal import ArgumentParser
internal import MockupClient

struct Info: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the server, its database, and how much work is pending.")

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.output.write(Record(try await client.admin.serverInfo()))
    }
  }
}

internal import ArgumentParser
internal import DynamicMessages
internal import StandardStreams

struct Describe: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the server's services and types in the syntax of .proto files.")

  @Argument(
    help: """
      A service, a method, a message or an enum; the package can be omitted if it is unambiguous. \
      (default: a list of the services and their methods)
      """)
  var name: String?

  @Option(parsing: .unconditional, help: "Seconds to wait for the response.")
  var timeout = Seconds.forOneAnswer

  @OptionGroup var server: ServerAddress

  func run() async throws {
    try await server.withClient { client in
      let schema = try await Schema.ofServer(client, timeout: timeout.duration)
      try await StandardOutput.write(schema.describe(name))
    }
  }
}

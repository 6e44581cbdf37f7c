internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct ShowScene: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a scene's template.")

  @Argument(help: "The template's id.")
  var template: UUID

  @Option(help: "The id or label of the owner of the scene. (default: the system)")
  var user: UserArgument?

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.output.write(
        Record(try await client.scenes.template(template, seenBy: user?.id(client))))
    }
  }
}

internal import ArgumentParser
internal import MockupClient

struct ResolveScene: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resolve",
    abstract: "Show the template that a user's mockups of a scene are made with.")

  @Argument(help: "The user's id or label.")
  var user: UserArgument

  @Argument(help: "The scene's key.")
  var scene: String

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.output.write(
        Record(try await client.scenes.resolve(scene, for: try await user.id(client))))
    }
  }
}

internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct DeleteScene: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Delete a user's scene; mockups that were made with it stay.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The template's id.")
  var template: UUID

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let wasThere = try await client.scenes.delete(template, of: user)
      try await connection.output.write(
        Record(["template_id": .text(template.wireText), "deleted": .flag(wasThere)]))
    }
  }
}

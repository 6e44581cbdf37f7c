internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct SceneCommands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scenes",
    abstract: "List, show, create, change or delete the scenes that artworks are placed in.",
    subcommands: [
      ListScenes.self, ShowScene.self, ResolveScene.self, CreateScene.self, UpdateScene.self,
      DeleteScene.self,
    ])
}

struct ListScenes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List scenes by key, the user's before the system's.")

  @Argument(help: "The id of a user whose scenes are listed, too. (default: only the system's)")
  var user: UUID?

  @Flag(help: "List inactive scenes, too.")
  var inactive = false

  @Flag(help: "Only the user's own scenes.")
  var own = false

  @Option(help: "Only scenes that are recommended for this collection.")
  var collection: String?

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      var scenes: [Record] = []
      let templates = client.scenes.templates(
        seenBy: user, includesInactive: inactive, ownOnly: own, collection: collection)
      for try await template in templates { scenes.append(Record(brief: template)) }
      try await connection.output.write(scenes)
    }
  }
}

struct ShowScene: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a scene's template.")

  @Argument(help: "The template's id.")
  var template: UUID

  @Option(help: "The id of the owner of the scene. (default: the system)")
  var user: UUID?

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.output.write(
        Record(try await client.scenes.template(template, seenBy: user)))
    }
  }
}

struct ResolveScene: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resolve",
    abstract: "Show the template that a user's mockups of a scene are made with.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The scene's key.")
  var scene: String

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.output.write(Record(try await client.scenes.resolve(scene, for: user)))
    }
  }
}

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

internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct UpdateScene: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update",
    abstract: "Change a user's scene. Values that are not given stay unchanged.",
    discussion: """
      Concurrent changes of different values are all kept. Keys that --other-config does not name \
      stay unchanged.
      """)

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The template's id.")
  var template: UUID

  @Option(help: "The name for people.")
  var name: String?

  @Option(help: "The vendor's id of the template.")
  var dmTemplate: String?

  @OptionGroup var fields: SceneFields

  @OptionGroup var placement: Placement

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      let changed = try await client.scenes.update(
        template, of: user, name: name, description: fields.description,
        dmTemplateID: dmTemplate, dmTemplateURL: fields.dmTemplateUrl,
        configChange: placement.change,
        previewURL: fields.previewUrl, isActive: fields.active,
        recommendedCollections: fields.collections)
      try await connection.output.write(Record(changed))
    }
  }
}

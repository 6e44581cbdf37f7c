internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct CreateScene: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Create a scene of a user.",
    discussion: """
      The id of the request is printed to standard error before the call, unless --id gives it. If \
      the response is lost, repeat the command with that --id: it does not create a second scene.
      """)

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The scene's key: up to 64 lower-case letters, digits, _ and -.")
  var scene: String

  @Argument(help: "The vendor's id of the template.")
  var dmTemplate: String

  @Option(help: "The idempotency key of the request. (default: a new id)")
  var id: UUID?

  @Option(help: "The name for people. (default: the key)")
  var name: String?

  @OptionGroup var fields: SceneFields

  @OptionGroup var placement: Placement

  @OptionGroup var connection: Connection

  func run() async throws {
    let key = IdempotencyKey(id)
    try await connection.run(under: key) { client in
      let response = try await client.scenes.create(
        scene, for: user, id: key.id, name: name ?? scene, dmTemplateID: dmTemplate,
        description: fields.description ?? "", dmTemplateURL: fields.dmTemplateUrl ?? "",
        config: placement.config, previewURL: fields.previewUrl ?? "",
        isActive: fields.active ?? true, recommendedCollections: fields.collections ?? [])
      var record = Record(response.template ?? SceneTemplate())
      record.fields.append((name: "replayed", value: .flag(response.replayed)))
      try await connection.output.write(record)
    }
  }
}

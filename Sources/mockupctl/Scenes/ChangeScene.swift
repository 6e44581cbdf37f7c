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
        config: placement.applied(to: SceneConfig()), previewURL: fields.previewUrl ?? "",
        isActive: fields.active ?? true, recommendedCollections: fields.collections ?? [])
      var record = Record(response.template ?? SceneTemplate())
      record.fields.append((name: "replayed", value: .flag(response.replayed)))
      try await connection.output.write(record)
    }
  }
}

struct UpdateScene: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update",
    abstract: "Change a user's scene. Values that are not given stay unchanged.")

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
      var config: SceneConfig?
      if !placement.isEmpty {
        let old = try await client.scenes.template(template, seenBy: user)
        config = placement.applied(to: old.config ?? SceneConfig())
      }
      let changed = try await client.scenes.update(
        template, of: user, name: name, description: fields.description,
        dmTemplateID: dmTemplate, dmTemplateURL: fields.dmTemplateUrl, config: config,
        previewURL: fields.previewUrl, isActive: fields.active,
        recommendedCollections: fields.collections)
      try await connection.output.write(Record(changed))
    }
  }
}

/// The options that creating and changing a scene have in common.
struct SceneFields: ParsableArguments {
  @Option(help: "A description for people; empty for none.")
  var description: String?

  @Option(help: "The URL of the vendor's template; empty for none.")
  var dmTemplateUrl: String?

  @Option(help: "The URL of a preview picture; empty for none.")
  var previewUrl: String?

  @Flag(inversion: .prefixedNo, help: "Activate the scene, or deactivate it.")
  var active: Bool?

  @Option(
    help: ArgumentHelp(
      "The collections that the scene is recommended for, separated by commas.",
      valueName: "names"))
  var collection: String?

  var collections: [String]? {
    collection.map { $0.split(separator: ",").map { String($0) } }
  }
}

/// The options for the placement of the artwork.
struct Placement: ParsableArguments {
  @Option(help: "The layer of the template that takes the artwork.")
  var smartObject: String?

  @Option(parsing: .unconditional, help: "The size of the artwork in pixels, as in 800x1000.")
  var size: Pair?

  // Unconditional, since a negative number begins like an option.
  @Option(parsing: .unconditional, help: "The position of the artwork in pixels, as in 10,20.")
  var position: Pair?

  @Option(parsing: .unconditional, help: "The rotation of the artwork in degrees.")
  var rotation: Double?

  @Option(parsing: .unconditional, help: "The scale of the artwork.")
  var scale: Double?

  @Option(
    help: ArgumentHelp("All other keys of the configuration, as a JSON object.", valueName: "json"))
  var otherConfig: String?

  var isEmpty: Bool {
    smartObject == nil && size == nil && position == nil && rotation == nil && scale == nil
      && otherConfig == nil
  }

  /// Returns the configuration with the given options in place of its values.
  func applied(to config: SceneConfig) -> SceneConfig {
    var config = config
    if let smartObject { config.smartObject = smartObject }
    if let size { config.defaultSize = Size(width: size.first, height: size.second) }
    if let position { config.position = Position(x: position.first, y: position.second) }
    if let rotation { config.rotation = rotation }
    if let scale { config.scale = scale }
    if let otherConfig { config.otherJSON = otherConfig }
    return config
  }
}

/// Two numbers that are separated by an `x` or a comma.
struct Pair: ExpressibleByArgument {
  let first: Double
  let second: Double

  init?(argument: String) {
    let parts = argument.split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == "x" || $0 == "," })
    guard parts.count == 2, let first = Double(parts[0]), let second = Double(parts[1]) else {
      return nil
    }
    self.first = first
    self.second = second
  }
}

internal import ArgumentParser
internal import FoundationEssentials
internal import MockupClient

struct CreateScene: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a scene of a user.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The scene's key: lower-case letters, digits, _ and -.")
  var scene: String

  @Argument(help: "The vendor's template.")
  var dmTemplate: String

  @Option(
    help: "The request's id; a retry with the same id gives the same answer. (default: a new one)")
  var id: UUID?

  @Option(help: "What people call it. (default: the key)")
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
    commandName: "update", abstract: "Change a user's scene. What is not said stays as it is.")

  @Argument(help: "The user's id.")
  var user: UUID

  @Argument(help: "The template's id.")
  var template: UUID

  @Option(help: "What people call it.")
  var name: String?

  @Option(help: "The vendor's template.")
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

/// What making and changing a scene have in common.
struct SceneFields: ParsableArguments {
  @Option(help: "What it shows; empty: nothing is said.")
  var description: String?

  @Option(help: "Where the vendor has its template.")
  var dmTemplateUrl: String?

  @Option(help: "Where there is a picture of it.")
  var previewUrl: String?

  @Flag(inversion: .prefixedNo, help: "Whether it is used.")
  var active: Bool?

  @Option(
    help: ArgumentHelp(
      "The collections it is recommended for, with commas between them.", valueName: "names"))
  var collection: String?

  var collections: [String]? {
    collection.map { $0.split(separator: ",").map { String($0) } }
  }
}

/// Where the artwork goes.
struct Placement: ParsableArguments {
  @Option(help: "The layer that takes the artwork.")
  var smartObject: String?

  @Option(parsing: .unconditional, help: "Its size in pixels, as 800x1000.")
  var size: Pair?

  // Below 0 it begins as an option does.
  @Option(parsing: .unconditional, help: "Its position in pixels, as 10,20.")
  var position: Pair?

  @Option(parsing: .unconditional, help: "Its rotation in degrees.")
  var rotation: Double?

  @Option(parsing: .unconditional, help: "Its scale.")
  var scale: Double?

  @Option(help: ArgumentHelp("Whatever else there is, as a JSON object.", valueName: "json"))
  var otherConfig: String?

  var isEmpty: Bool {
    smartObject == nil && size == nil && position == nil && rotation == nil && scale == nil
      && otherConfig == nil
  }

  /// A configuration with what was said in place of what it had.
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

/// Two numbers with an `x` or a comma between them.
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

internal import ArgumentParser
internal import MockupClient

/// The options for the placement of the artwork.
struct Placement: ParsableArguments {
  @Option(help: "The layer of the template that takes the artwork.")
  var smartObject: String?

  @Option(parsing: .unconditional, help: "The size of the artwork in pixels, as in 800x1000.")
  var size: NumberPair?

  // Unconditional, since a negative number begins like an option.
  @Option(parsing: .unconditional, help: "The position of the artwork in pixels, as in 10,20.")
  var position: NumberPair?

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
struct NumberPair: ExpressibleByArgument {
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

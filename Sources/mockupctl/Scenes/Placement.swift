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
    help: ArgumentHelp(
      "Other keys of the configuration with their values, as a JSON object.", valueName: "json"))
  var otherConfig: String?

  private var isEmpty: Bool {
    smartObject == nil && size == nil && position == nil && rotation == nil && scale == nil
      && otherConfig == nil
  }

  /// The configuration of a new scene.
  var config: SceneConfig {
    SceneConfig(
      smartObject: smartObject ?? "", defaultSize: defaultSize, position: artworkPosition,
      rotation: rotation, scale: scale, otherJSON: otherConfig ?? "")
  }

  /// The change of the configuration of an existing scene; `nil` if no option is given.
  var change: SceneConfigChange? {
    isEmpty
      ? nil
      : SceneConfigChange(
        smartObject: smartObject, defaultSize: defaultSize, position: artworkPosition,
        rotation: rotation, scale: scale, otherJSON: otherConfig ?? "")
  }

  private var defaultSize: Size? { size.map { Size(width: $0.first, height: $0.second) } }

  private var artworkPosition: Position? {
    position.map { Position(x: $0.first, y: $0.second) }
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

/// The placement of an artwork in a scene.
///
/// In the database it is a JSON object. Known keys are read into the properties. Unknown keys, and
/// known keys with a value of another type, are preserved in ``other``. `smart_object_name` and
/// `default_position` are accepted if `smart_object` and `position` are missing, and are never
/// written.
public struct SceneConfig: Sendable, Hashable {
  /// A size in pixels.
  public struct Size: Sendable, Hashable {
    /// The width in pixels.
    public var width: Double
    /// The height in pixels.
    public var height: Double

    /// Creates a size in pixels.
    public init(width: Double, height: Double) {
      self.width = width
      self.height = height
    }
  }

  /// A position in pixels.
  public struct Position: Sendable, Hashable {
    /// The horizontal coordinate in pixels.
    public var x: Double
    /// The vertical coordinate in pixels.
    public var y: Double

    /// Creates a position in pixels.
    public init(x: Double, y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// The layer of the template that the artwork replaces, or an empty string if none is named.
  public var smartObject: String
  /// The size of the artwork, or nil for the template's size.
  public var defaultSize: Size?
  /// The position of the artwork, or nil for the template's position.
  public var position: Position?
  /// The rotation in degrees, or nil for none.
  public var rotation: Double?
  /// The scale factor, or nil for 1.
  public var scale: Double?
  /// All other members of the JSON object.
  ///
  /// A member here never sets or replaces one of the properties above.
  public internal(set) var other: JSONObject

  /// A rule that a configuration violates.
  public enum Violation: Error, Sendable, Hashable {
    /// ``SceneConfig/other`` has a value for this key that belongs in a property.
    case knownKey(String)
    /// The value of this key is infinite or not a number.
    case notFinite(String)
  }

  /// Creates a configuration without values.
  public init() {
    smartObject = ""
    other = JSONObject()
  }

  /// Creates a configuration and checks it.
  ///
  /// - Parameter other: The members without a property of their own. It may have a known key with a
  ///   value of another type, as a configuration that was read from the database may.
  /// - Throws: The first rule that the configuration violates.
  public init(
    smartObject: String = "", defaultSize: Size? = nil, position: Position? = nil,
    rotation: Double? = nil, scale: Double? = nil, other: JSONObject = JSONObject()
  ) throws(Violation) {
    self.smartObject = smartObject
    self.defaultSize = defaultSize
    self.position = position
    self.rotation = rotation
    self.scale = scale
    self.other = other
    try validate()
  }

  /// Returns this configuration with the other members of the configuration that it replaces.
  ///
  /// Members of the old ``other`` are preserved unless this configuration has a value for the same
  /// key.
  public func replacing(_ old: SceneConfig) -> SceneConfig {
    var merged = self
    merged.other = old.other
    for member in other.members { merged.other[member.name] = member.value }
    for key in merged.misplacedKeys where other[key] == nil { merged.other[key] = nil }
    return merged
  }

  private func validate() throws(Violation) {
    let numbers: [(String, Double?)] = [
      (Key.defaultSize, defaultSize?.width), (Key.defaultSize, defaultSize?.height),
      (Key.position, position?.x), (Key.position, position?.y),
      (Key.rotation, rotation), (Key.scale, scale),
    ]
    for (key, number) in numbers where number?.isFinite == false { throw .notFinite(key) }
    if let key = misplacedKeys.first { throw .knownKey(key) }
  }
}

/// Where and how an artwork is placed in a scene.
///
/// In the database it is a JSON object. The keys that are known here are read into values; all else is
/// kept as it is, and so is a known key whose value is none of its kind. Two keys have a second
/// spelling, `smart_object_name` and `default_position`: it is read where the first is missing, and
/// never written.
public struct SceneConfig: Sendable, Hashable {
  /// In pixels.
  public struct Size: Sendable, Hashable {
    public var width: Double
    public var height: Double

    public init(width: Double, height: Double) {
      self.width = width
      self.height = height
    }
  }

  /// In pixels.
  public struct Position: Sendable, Hashable {
    public var x: Double
    public var y: Double

    public init(x: Double, y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// The layer of the template that takes the artwork; empty: none is named.
  public var smartObject: String
  /// `nil`: the template's.
  public var defaultSize: Size?
  /// `nil`: the template's.
  public var position: Position?
  /// In degrees; `nil`: none.
  public var rotation: Double?
  /// `nil`: 1.
  public var scale: Double?
  /// Everything else. No value above is read from it, and none is written over it.
  public internal(set) var other: JSONObject

  /// A key that ``other`` may not hold.
  public enum Violation: Error, Sendable, Hashable {
    /// The value of this key has a place of its own.
    case knownKey(String)
    /// This value is not finite.
    case notFinite(String)
  }

  /// A configuration without values.
  public init() {
    smartObject = ""
    other = JSONObject()
  }

  /// - Parameters:
  ///   - other: What has no place of its own. A known key may stand here with a value that is not of
  ///     its kind, as it is when it was read so.
  /// - Throws: The first rule that is not kept.
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

  /// This configuration in place of an older one: what the older had beside the known keys stays, save
  /// what this one names.
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

/// A change of single values of a ``SceneConfig``.
///
/// A property that is nil leaves its value unchanged.
public struct SceneConfigChange: Sendable, Hashable {
  /// The new layer of the template that the artwork replaces; an empty string names none.
  public let smartObject: String?
  /// The new size of the artwork.
  public let defaultSize: SceneConfig.Size?
  /// The new position of the artwork.
  public let position: SceneConfig.Position?
  /// The new rotation in degrees.
  public let rotation: Double?
  /// The new scale factor.
  public let scale: Double?
  /// The new values of other members; members that it does not name stay unchanged.
  public let other: JSONObject

  /// Creates a change and checks it.
  ///
  /// - Throws: The first rule of a configuration that the values violate.
  public init(
    smartObject: String? = nil, defaultSize: SceneConfig.Size? = nil,
    position: SceneConfig.Position? = nil, rotation: Double? = nil, scale: Double? = nil,
    other: JSONObject = JSONObject()
  ) throws(SceneConfig.Violation) {
    _ = try SceneConfig(
      smartObject: smartObject ?? "", defaultSize: defaultSize, position: position,
      rotation: rotation, scale: scale, other: other)
    self.smartObject = smartObject
    self.defaultSize = defaultSize
    self.position = position
    self.rotation = rotation
    self.scale = scale
    self.other = other
  }

  /// Returns a configuration with this change.
  public func applied(to old: SceneConfig) -> SceneConfig {
    var new = old
    new.smartObject = smartObject ?? (hasOther(SceneConfig.Key.smartObject) ? "" : old.smartObject)
    new.defaultSize = defaultSize ?? (hasOther(SceneConfig.Key.defaultSize) ? nil : old.defaultSize)
    new.position = position ?? (hasOther(SceneConfig.Key.position) ? nil : old.position)
    new.rotation = rotation ?? (hasOther(SceneConfig.Key.rotation) ? nil : old.rotation)
    new.scale = scale ?? (hasOther(SceneConfig.Key.scale) ? nil : old.scale)
    new.other = other
    return new.replacing(old)
  }

  /// Returns true if ``other`` has a value of another type for the key of a property.
  private func hasOther(_ key: String) -> Bool { other[key] != nil }
}

extension SceneConfig {
  enum Key {
    static let smartObject = "smart_object"
    static let defaultSize = "default_size"
    static let position = "position"
    static let rotation = "rotation"
    static let scale = "scale"
    static let alternativeSmartObject = "smart_object_name"
    static let alternativePosition = "default_position"
  }

  /// Reads a configuration from the JSON text in the database.
  ///
  /// Text that is not a JSON object is read as an object without members.
  public init(json: String) {
    self.init()
    var rest = JSONObject(text: json) ?? JSONObject()
    func take<Value>(_ key: String, _ read: (String) -> Value?) -> Value? {
      guard let value = rest[key].flatMap(read) else { return nil }
      rest[key] = nil
      return value
    }
    let smartObjectKey = rest[Key.smartObject] == nil ? Key.alternativeSmartObject : Key.smartObject
    smartObject =
      take(smartObjectKey) { json in
        JSONScanner.string(json).flatMap { $0.isEmpty ? nil : $0 }
      } ?? ""
    defaultSize = take(Key.defaultSize, Size.init(json:))
    let positionKey = rest[Key.position] == nil ? Key.alternativePosition : Key.position
    position = take(positionKey, Position.init(json:))
    rotation = take(Key.rotation, Double.init(json:))
    scale = take(Key.scale, Double.init(json:))
    other = rest
  }

  /// The configuration as JSON text for the database.
  public var json: String { object.text }

  private var object: JSONObject {
    var object = other
    for (key, value) in knownMembers { object[key] = value }
    return object
  }

  private var knownMembers: [(key: String, value: String)] {
    let members: [(String, String?)] = [
      (Key.smartObject, smartObject.isEmpty ? nil : JSONScanner.quoted(smartObject)),
      (Key.defaultSize, defaultSize?.json),
      (Key.position, position?.json),
      (Key.rotation, rotation?.json),
      (Key.scale, scale?.json),
    ]
    return members.compactMap { key, value in value.map { (key, $0) } }
  }

  /// The known keys in ``other`` whose members would not survive a write to the database.
  ///
  /// The value of a property would overwrite the member, or the next read would move the member to
  /// a property.
  var misplacedKeys: [String] {
    let overwritten = knownMembers.map(\.key).filter { other[$0] != nil }
    let readBack = SceneConfig(json: object.text)
    let read = [
      Key.smartObject, Key.alternativeSmartObject, Key.defaultSize, Key.position,
      Key.alternativePosition, Key.rotation, Key.scale,
    ].filter { other[$0] != nil && readBack.other[$0] == nil && !overwritten.contains($0) }
    return overwritten + read
  }
}

extension SceneConfig.Size {
  fileprivate init?(json: String) {
    guard let (width, height) = pair(json, "width", "height") else { return nil }
    self.init(width: width, height: height)
  }

  fileprivate var json: String { "{\"width\":\(width.json),\"height\":\(height.json)}" }
}

extension SceneConfig.Position {
  fileprivate init?(json: String) {
    guard let (x, y) = pair(json, "x", "y") else { return nil }
    self.init(x: x, y: y)
  }

  fileprivate var json: String { "{\"x\":\(x.json),\"y\":\(y.json)}" }
}

/// Reads the two numbers of an object.
///
/// - Returns: `nil` if the object has other members, which would be lost when it is written again.
private func pair(_ json: String, _ first: String, _ second: String) -> (Double, Double)? {
  guard let object = JSONObject(text: json), object.members.count == 2,
    let first = object[first].flatMap(Double.init(json:)),
    let second = object[second].flatMap(Double.init(json:))
  else { return nil }
  return (first, second)
}

extension Double {
  /// Reads a JSON number; nil if it is another value, or not finite as a `Double`.
  fileprivate init?(json: String) {
    // Only JSON numbers begin with these characters, and `Double` can parse every JSON number.
    guard let first = json.utf8.first,
      first == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first),
      let number = Double(json), number.isFinite
    else { return nil }
    self = number
  }

  /// The number as JSON text, without a fraction if it is whole.
  fileprivate var json: String {
    if let whole = Int64(exactly: self), abs(self) < 1e15 { return "\(whole)" }
    return "\(self)"
  }
}

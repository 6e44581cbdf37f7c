internal import MockupAPI
internal import Mockups
internal import TTRPC

// Configurations of scenes, from the wire and to it.

extension Mockups.SceneConfig {
  /// The longest `other_json`, in bytes.
  static let longestOther = 16_384

  /// - Parameter field: Where the configuration stands in its request.
  init(_ config: MockupAPI.SceneConfig, _ field: String) throws(RPCError) {
    try RequestFields.length(config.smartObject, 0...200, field + ".smart_object")
    do {
      try self.init(
        smartObject: config.smartObject,
        defaultSize: config.defaultSize.map { Size(width: $0.width, height: $0.height) },
        position: config.position.map { Position(x: $0.x, y: $0.y) },
        rotation: config.rotation,
        scale: config.scale,
        other: try Self.other(config.otherJSON, field + ".other_json"))
    } catch let error as RPCError {
      throw error
    } catch Violation.notFinite(let key) {
      throw .invalid("\(field).\(key)", "is no finite number")
    } catch Violation.knownKey(let key) {
      throw .invalid("\(field).other_json", "has \(key), which has a field of its own")
    } catch {
      throw .invalid(field, "cannot be used: \(error)")
    }
  }

  private static func other(_ text: String, _ field: String) throws(RPCError) -> JSONObject {
    guard text.utf8.count <= longestOther else {
      throw .invalid(field, "is longer than \(longestOther) bytes")
    }
    guard !text.isEmpty else { return JSONObject() }
    guard let object = JSONObject(text: text) else { throw .invalid(field, "is no JSON object") }
    return object
  }
}

extension MockupAPI.SceneConfig {
  init(_ config: Mockups.SceneConfig) {
    self.init(
      smartObject: config.smartObject,
      defaultSize: config.defaultSize.map { Size(width: $0.width, height: $0.height) },
      position: config.position.map { Position(x: $0.x, y: $0.y) },
      rotation: config.rotation,
      scale: config.scale,
      otherJSON: config.other.isEmpty ? "" : config.other.text)
  }
}

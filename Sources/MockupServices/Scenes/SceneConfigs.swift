internal import MockupAPI
internal import MockupCore
internal import TTRPC

// Conversions between scene configurations of the protocol and of the domain.

extension MockupCore.SceneConfig {
  /// The maximum size of `other_json`, in bytes.
  static let maxOtherBytes = 16_384

  /// Converts a configuration from a request.
  ///
  /// - Parameter field: The path of the configuration in the request, for error messages.
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
      throw .invalid("\(field).\(key)", "is not a finite number")
    } catch Violation.knownKey(let key) {
      throw .invalid("\(field).other_json", "contains \(key), which has its own field")
    } catch {
      throw .invalid(field, "is invalid: \(error)")
    }
  }

  private static func other(_ text: String, _ field: String) throws(RPCError) -> JSONObject {
    guard text.utf8.count <= maxOtherBytes else {
      throw .invalid(field, "is longer than \(maxOtherBytes) bytes")
    }
    guard !text.isEmpty else { return JSONObject() }
    guard let object = JSONObject(text: text) else { throw .invalid(field, "is not a JSON object") }
    return object
  }
}

extension MockupAPI.SceneConfig {
  init(_ config: MockupCore.SceneConfig) {
    self.init(
      smartObject: config.smartObject,
      defaultSize: config.defaultSize.map { Size(width: $0.width, height: $0.height) },
      position: config.position.map { Position(x: $0.x, y: $0.y) },
      rotation: config.rotation,
      scale: config.scale,
      otherJSON: config.other.isEmpty ? "" : config.other.text)
  }
}

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
    let other = try Self.other(config.otherJSON, field + ".other_json")
    do throws(Violation) {
      try self.init(
        smartObject: config.smartObject, defaultSize: config.defaultSize.map(Size.init),
        position: config.position.map(Position.init), rotation: config.rotation,
        scale: config.scale, other: other)
    } catch {
      throw .invalid(error, field)
    }
  }

  fileprivate static func other(_ text: String, _ field: String) throws(RPCError) -> JSONObject {
    guard text.utf8.count <= maxOtherBytes else {
      throw .invalid(field, "is longer than \(maxOtherBytes) bytes")
    }
    guard !text.isEmpty else { return JSONObject() }
    guard let object = JSONObject(text: text) else { throw .invalid(field, "is not a JSON object") }
    return object
  }
}

extension MockupCore.SceneConfigChange {
  /// Converts a change of a configuration from a request.
  ///
  /// - Parameter field: The path of the change in the request, for error messages.
  init(_ change: MockupAPI.SceneConfigChange, _ field: String) throws(RPCError) {
    try RequestFields.length(change.smartObject ?? "", 0...200, field + ".smart_object")
    let other = try MockupCore.SceneConfig.other(change.otherJSON, field + ".other_json")
    do throws(MockupCore.SceneConfig.Violation) {
      try self.init(
        smartObject: change.smartObject,
        defaultSize: change.defaultSize.map(MockupCore.SceneConfig.Size.init),
        position: change.position.map(MockupCore.SceneConfig.Position.init),
        rotation: change.rotation, scale: change.scale, other: other)
    } catch {
      throw .invalid(error, field)
    }
  }
}

extension MockupCore.SceneConfig.Size {
  fileprivate init(_ size: MockupAPI.Size) {
    self.init(width: size.width, height: size.height)
  }
}

extension MockupCore.SceneConfig.Position {
  fileprivate init(_ position: MockupAPI.Position) {
    self.init(x: position.x, y: position.y)
  }
}

extension RPCError {
  fileprivate static func invalid(
    _ violation: MockupCore.SceneConfig.Violation, _ field: String
  ) -> RPCError {
    switch violation {
    case .notFinite(let key): .invalid("\(field).\(key)", "is not a finite number")
    case .knownKey(let key):
      .invalid("\(field).other_json", "contains \(key), which has its own field")
    }
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

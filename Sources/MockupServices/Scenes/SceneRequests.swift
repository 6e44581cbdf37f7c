internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import MockupCore
internal import TTRPC

// Conversions from the requests of `SceneService` to the domain's values.

extension ListSceneTemplatesRequest {
  func filter() throws(RPCError) -> SceneFilter {
    let user = try RequestFields.optionalUUID(userID, "user_id")
    guard user != nil || !ownOnly else { throw .invalid("user_id", "is required with own_only") }
    try RequestFields.length(collection, 0...SceneFields.maxCollectionLength, "collection")
    return SceneFilter(
      userID: user, includesInactive: includeInactive, ownOnly: ownOnly,
      collection: collection.isEmpty ? nil : collection)
  }
}

extension CreateSceneTemplateRequest {
  func values() throws(RPCError) -> SceneTemplateRequest {
    var values = SceneTemplateRequest(
      userID: try RequestFields.uuid(userID, "user_id"),
      id: try RequestFields.uuid(requestID, "request_id"),
      key: try SceneFields.key(sceneKey, "scene_key"),
      name: try SceneFields.name(name),
      vendorID: try SceneFields.vendorID(dmTemplateID))
    values.description = try SceneFields.description(description)
    values.vendorURL = try SceneFields.url(dmTemplateURL, "dm_template_url")
    values.config =
      try config.map { config throws(RPCError) in
        try MockupCore.SceneConfig(config, "config")
      } ?? MockupCore.SceneConfig()
    values.previewURL = try SceneFields.url(previewURL, "preview_url")
    values.isActive = !isInactive
    values.recommendedCollections = try SceneFields.collections(
      recommendedCollections, "recommended_collections")
    return values
  }
}

extension UpdateSceneTemplateRequest {
  func change() throws(RPCError) -> SceneTemplateChange {
    var change = SceneTemplateChange()
    if let name { change.name = try SceneFields.name(name) }
    if let description { change.description = try SceneFields.description(description) }
    if let dmTemplateID { change.vendorID = try SceneFields.vendorID(dmTemplateID) }
    if let dmTemplateURL {
      change.vendorURL = try SceneFields.url(dmTemplateURL, "dm_template_url")
    }
    if let config { change.config = try MockupCore.SceneConfig(config, "config") }
    if let configChange {
      guard config == nil else {
        throw .invalid("config_change", "cannot be combined with config")
      }
      change.configChange = try MockupCore.SceneConfigChange(configChange, "config_change")
    }
    if let previewURL { change.previewURL = try SceneFields.url(previewURL, "preview_url") }
    change.isActive = isActive
    if let recommendedCollections {
      change.recommendedCollections = try SceneFields.collections(
        recommendedCollections.names, "recommended_collections.names")
    }
    return change
  }
}

/// The validation of a template's fields.
enum SceneFields {
  static let maxCollectionLength = 64
  private static let maxCollections = 32

  /// Validates a scene key: 1 to 64 lower-case letters, digits, `_` and `-`.
  static func key(_ text: String, _ field: String) throws(RPCError) -> String {
    try RequestFields.length(text, 1...64, field)
    let isKey = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
      default: false
      }
    }
    guard isKey else {
      throw .invalid(field, "may contain only lower-case letters, digits, _ and -")
    }
    return text
  }

  static func name(_ text: String) throws(RPCError) -> String {
    try RequestFields.length(text, 1...200, "name")
  }

  static func description(_ text: String) throws(RPCError) -> String {
    try RequestFields.length(text, 0...2000, "description")
  }

  static func vendorID(_ text: String) throws(RPCError) -> String {
    try RequestFields.length(text, 1...200, "dm_template_id")
  }

  /// Validates an absolute http or https URL, which may be empty.
  static func url(_ text: String, _ field: String) throws(RPCError) -> String {
    try RequestFields.length(text, 0...2048, field)
    guard !text.isEmpty else { return text }
    // Foundation escapes characters that are not allowed in a URL. They are refused instead.
    let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
    guard isPlain, let components = URLComponents(string: text),
      ["http", "https"].contains(components.scheme?.lowercased()),
      components.host?.isEmpty == false
    else { throw .invalid(field, "is not an http or https URL") }
    return text
  }

  static func collections(_ names: [String], _ field: String) throws(RPCError) -> [String] {
    guard names.count <= maxCollections else {
      throw .invalid(field, "has more than \(maxCollections) names")
    }
    for (index, name) in names.enumerated() {
      try RequestFields.length(name, 1...maxCollectionLength, "\(field)[\(index)]")
    }
    return names
  }
}

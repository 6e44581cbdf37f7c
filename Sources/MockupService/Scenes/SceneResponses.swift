internal import FoundationEssentials
internal import Logging
internal import MockupAPI
internal import MockupStore
internal import Mockups
internal import TTRPC

// From the domain's values to the responses of `SceneService`.

extension MockupAPI.SceneTemplate {
  init(_ template: Mockups.SceneTemplate) {
    self.init(
      templateID: template.id.wireText,
      userID: template.userID?.wireText ?? "",
      sceneKey: template.key,
      name: template.name,
      description: template.description ?? "",
      dmTemplateID: template.vendorID,
      dmTemplateURL: template.vendorURL ?? "",
      config: SceneConfig(template.config),
      previewURL: template.previewURL ?? "",
      isActive: template.isActive,
      isSystem: template.isSystem,
      recommendedCollections: template.recommendedCollections,
      createdAt: Timestamp(template.createdAt),
      updatedAt: Timestamp(template.updatedAt))
  }
}

extension PageToken {
  static func text(_ cursor: ScenePage.Cursor) -> String {
    // The key last: old data may have any characters there.
    Data("\(cursor.isSystem ? 1 : 0)/\(cursor.id.wireText)/\(cursor.key)".utf8)
      .base64EncodedString()
  }

  /// - Throws: INVALID_ARGUMENT for a text that this server did not make.
  static func scene(_ text: String, _ field: String) throws(RPCError) -> ScenePage.Cursor? {
    guard !text.isEmpty else { return nil }
    let decoded = Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let parts = decoded.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, ["0", "1"].contains(parts[0]), !parts[2].utf8.contains(0),
      let id = UUID(wireText: String(parts[1]))
    else { throw .invalid(field, "is no token of this server") }
    return ScenePage.Cursor(key: String(parts[2]), isSystem: parts[0] == "1", id: id)
  }
}

extension RPCError {
  /// What a caller is told of an error of scenes.
  init(_ error: SceneError, logger: Logger) {
    switch error {
    case .unknownUser(let id):
      self.init(code: .notFound, message: "there is no user \(id.wireText)")
    case .unknownTemplate(let id):
      self.init(code: .notFound, message: "the user has no scene template \(id.wireText)")
    case .unknownScene(let key):
      self.init(code: .notFound, message: "there is no active scene \(key)")
    case .keyTaken(let key):
      self = .exists("scene_key", "the user has a scene template of the key \(key)", "is taken")
    case .conflict(let field):
      self = .exists(
        field, "the id was used before with another \(field)", "differs from the first request")
    case .systemTemplate(let id):
      self.init(
        code: .failedPrecondition,
        message: "the scene template \(id.wireText) is the system's, which is read-only")
    case .unstorableConfig:
      self = .invalid("config", "holds what the database has no form for")
    case .database(let error):
      self.init(error, logger: logger)
    }
  }

  private static func exists(
    _ field: String, _ message: String, _ description: String
  ) -> RPCError {
    RPCError(
      code: .alreadyExists, message: message,
      details: [.badRequest([FieldViolation(field: field, description: description)])])
  }
}

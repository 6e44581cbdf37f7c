internal import FoundationEssentials
internal import MockupAPI
internal import MockupDatabase
internal import MockupCore
internal import TTRPC

// Conversions from the domain's values to the responses of `SceneService`.

extension MockupAPI.SceneTemplate {
  init(_ template: MockupCore.SceneTemplate) {
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
    // The key comes last, because keys in old data may contain any character.
    Data("\(cursor.isSystem ? 1 : 0)/\(cursor.id.wireText)/\(cursor.key)".utf8)
      .base64EncodedString()
  }

  /// Decodes the token of a page of scene templates; empty becomes `nil`.
  ///
  /// - Throws: INVALID_ARGUMENT if the token is not valid.
  static func scene(_ text: String, _ field: String) throws(RPCError) -> ScenePage.Cursor? {
    guard !text.isEmpty else { return nil }
    let decoded = Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let parts = decoded.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, ["0", "1"].contains(parts[0]), !parts[2].utf8.contains(0),
      let id = UUID(wireText: String(parts[1]))
    else { throw .invalid(field, "is not a valid token") }
    return ScenePage.Cursor(key: String(parts[2]), isSystem: parts[0] == "1", id: id)
  }
}

extension SceneError: StatusConvertible {
  func status(_ context: ServerContext) -> RPCError {
    switch self {
    case .unknownUser(let id):
      RPCError(code: .notFound, message: "there is no user \(id.wireText)")
    case .unknownTemplate(let id):
      RPCError(code: .notFound, message: "the user has no scene template \(id.wireText)")
    case .unknownScene(let key):
      RPCError(code: .notFound, message: "there is no active scene \(key)")
    case .keyTaken(let key):
      .exists(
        "scene_key", "the user already has a scene template with the key \(key)", "is already used")
    case .conflict(let field):
      .exists(field, "the id was already used with different \(field)")
    case .systemTemplate(let id):
      RPCError(
        code: .failedPrecondition,
        message: "scene template \(id.wireText) is a system template, which is read-only")
    case .unstorableConfig:
      .invalid("config", "contains a value that the database cannot store")
    case .database(let error):
      error.status(context)
    }
  }
}

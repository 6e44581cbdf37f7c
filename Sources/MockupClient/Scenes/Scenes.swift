public import FoundationEssentials
public import MockupAPI
public import TTRPC
public import TimeOrderedID

/// The calls that read and change scene templates.
///
/// System templates are visible to all users and read-only. A user's templates are visible to that
/// user only.
///
/// Every method is idempotent. Every method throws `RPCError`. `proto/mockups/v1/scenes.proto`
/// lists the codes.
public struct Scenes: Sendable {
  let stub: SceneServiceClient
  let options: CallOptions

  /// Returns the scene templates that a user sees, ordered by key.
  ///
  /// Of templates with the same key, the user's comes before the system's. The templates are
  /// fetched page by page while they are iterated over.
  ///
  /// - Parameters:
  ///   - user: The user whose templates are returned, in addition to the system's; `nil` returns
  ///     only the system's.
  ///   - includesInactive: If `true`, inactive templates are returned too.
  ///   - ownOnly: If `true`, only the user's own templates are returned.
  ///   - collection: Only templates recommended for this collection; `nil` means all.
  public func templates(
    seenBy user: UUID? = nil, includesInactive: Bool = false, ownOnly: Bool = false,
    collection: String? = nil
  ) -> PagedList<SceneTemplate> {
    PagedList { token throws(RPCError) in
      let request = ListSceneTemplatesRequest(
        userID: user?.wireText ?? "", includeInactive: includesInactive, ownOnly: ownOnly,
        collection: collection ?? "", pageSize: 200, pageToken: token)
      let page = try await stub.listSceneTemplates(request, options: options)
      return (page.templates, page.nextPageToken)
    }
  }

  /// Returns a scene template that a user sees.
  ///
  /// - Parameters:
  ///   - id: The template's id, which the server made.
  ///   - user: The user whose templates are found, in addition to the system's; `nil` finds only
  ///     system templates.
  public func template(
    _ id: UUID, seenBy user: UUID? = nil
  ) async throws(RPCError) -> SceneTemplate {
    let request = GetSceneTemplateRequest(
      userID: user?.wireText ?? "", templateID: id.wireText)
    return try await stub.getSceneTemplate(request, options: options).template.required()
  }

  /// Returns the template that a user's mockups of a scene are made with.
  ///
  /// This is the user's own active template with the key, or otherwise the system's active
  /// template.
  public func resolve(_ sceneKey: String, for user: UUID) async throws(RPCError) -> SceneTemplate {
    let request = ResolveSceneRequest(userID: user.wireText, sceneKey: sceneKey)
    return try await stub.resolveScene(request, options: options).template.required()
  }

  /// Creates a scene template of a user.
  ///
  /// - Parameters:
  ///   - sceneKey: The key of the scene: 1 to 64 lower-case letters, digits, `_` and `-`.
  ///   - user: The owner of the template. The call fails with NOT_FOUND if the user is unknown.
  ///   - id: The idempotency key of the call. The template gets an id of its own, which is in the
  ///     response.
  ///   - name: The name, 1 to 200 characters.
  ///   - dmTemplateID: The vendor's id of the template, 1 to 200 characters.
  ///   - description: The description, up to 2000 characters.
  ///   - dmTemplateURL: The vendor's http or https URL of the template; may be empty.
  ///   - config: The placement of the artwork in the scene.
  ///   - previewURL: The http or https URL of a preview image; may be empty.
  ///   - isActive: If `true`, the template takes precedence over the system's template with the
  ///     same key.
  ///   - recommendedCollections: The collections that the scene suits: up to 32 names of up to 64
  ///     characters.
  public func create(
    _ sceneKey: String, for user: UUID, id: UUID = .timeOrdered(), name: String,
    dmTemplateID: String,
    description: String = "", dmTemplateURL: String = "", config: SceneConfig = SceneConfig(),
    previewURL: String = "", isActive: Bool = true, recommendedCollections: [String] = []
  ) async throws(RPCError) -> CreateSceneTemplateResponse {
    let request = CreateSceneTemplateRequest(
      userID: user.wireText, requestID: id.wireText, sceneKey: sceneKey, name: name,
      description: description, dmTemplateID: dmTemplateID, dmTemplateURL: dmTemplateURL,
      config: config, previewURL: previewURL, isInactive: !isActive,
      recommendedCollections: recommendedCollections)
    return try await stub.createSceneTemplate(request, options: options)
  }

  /// Changes a scene template of a user.
  ///
  /// Values that are `nil` stay unchanged. The others have the limits of `create`. An empty
  /// `description`, `dmTemplateURL` or `previewURL` removes the existing one. The call fails with
  /// FAILED_PRECONDITION for a system template.
  ///
  /// `config` replaces the whole existing configuration, except for keys that the server does not
  /// know and that `otherJSON` does not have. `configChange` changes single values, and keeps
  /// concurrent changes of others; only one of the two may be given.
  public func update(
    _ id: UUID, of user: UUID, name: String? = nil, description: String? = nil,
    dmTemplateID: String? = nil, dmTemplateURL: String? = nil, config: SceneConfig? = nil,
    configChange: SceneConfigChange? = nil, previewURL: String? = nil, isActive: Bool? = nil,
    recommendedCollections: [String]? = nil
  ) async throws(RPCError) -> SceneTemplate {
    let request = UpdateSceneTemplateRequest(
      userID: user.wireText, templateID: id.wireText, name: name, description: description,
      dmTemplateID: dmTemplateID, dmTemplateURL: dmTemplateURL, config: config,
      previewURL: previewURL, isActive: isActive,
      recommendedCollections: recommendedCollections.map { Collections(names: $0) },
      configChange: configChange)
    return try await stub.updateSceneTemplate(request, options: options).template.required()
  }

  /// Deletes a scene template of a user.
  ///
  /// Mockups that were made with the template are kept.
  ///
  /// - Returns: True if the template existed.
  @discardableResult
  public func delete(_ id: UUID, of user: UUID) async throws(RPCError) -> Bool {
    let request = DeleteSceneTemplateRequest(userID: user.wireText, templateID: id.wireText)
    return try await stub.deleteSceneTemplate(request, options: options).deleted
  }
}

extension SceneTemplate? {
  /// Returns the template of a response.
  fileprivate func required() throws(RPCError) -> SceneTemplate {
    guard let self else {
      throw RPCError(code: .internalError, message: "the response has no template")
    }
    return self
  }
}

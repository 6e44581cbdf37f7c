public import FoundationEssentials
public import MockupAPI
public import TTRPC
public import TimeOrderedID

/// The scenes that artworks are placed in: the system's, which everybody sees and nobody changes, and
/// those of users.
///
/// Every method may be called again: it has one effect. All throw ``RPCError``;
/// `proto/mockups/v1/scenes.proto` says with which codes.
public struct Scenes: Sendable {
  let stub: SceneServiceClient
  let options: CallOptions

  /// Scene templates, by key, a user's before the system's, fetched page by page as they are read.
  ///
  /// - Parameters:
  ///   - user: Whose, besides the system's; `nil`: the system's alone.
  ///   - includesInactive: Also those that are not active.
  ///   - ownOnly: Only the user's own.
  ///   - collection: Only those recommended for it; `nil`: all.
  public func templates(
    seenBy user: UUID? = nil, includesInactive: Bool = false, ownOnly: Bool = false,
    collection: String? = nil
  ) -> SceneTemplates {
    SceneTemplates(
      scenes: self, user: user, includesInactive: includesInactive, ownOnly: ownOnly,
      collection: collection)
  }

  /// A template that a user sees.
  ///
  /// - Parameter user: `nil`: only the system's are seen.
  public func template(
    _ id: UUID, seenBy user: UUID? = nil
  ) async throws(RPCError) -> SceneTemplate {
    let request = GetSceneTemplateRequest(
      userID: user?.wireText ?? "", templateID: id.wireText)
    return try await stub.getSceneTemplate(request, options: options).template.inAnswer()
  }

  /// The template that a user's mockups of a scene are made with: the user's own active one, or else
  /// the system's.
  public func resolve(_ sceneKey: String, for user: UUID) async throws(RPCError) -> SceneTemplate {
    let request = ResolveSceneRequest(userID: user.wireText, sceneKey: sceneKey)
    return try await stub.resolveScene(request, options: options).template.inAnswer()
  }

  /// Makes a template of a user.
  ///
  /// - Parameters:
  ///   - id: The request's id, the idempotency key: a retry with the same id gets the same template. The
  ///     template's own id is in the answer.
  ///   - dmTemplateID: The vendor's template.
  ///   - isActive: Whether it stands before the system's of the same key from now on.
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

  /// Changes a user's template; what is `nil` stays as it is.
  ///
  /// - Parameter config: In place of the whole configuration; keys that the server does not know stay
  ///   unless `otherJSON` names them.
  public func update(
    _ id: UUID, of user: UUID, name: String? = nil, description: String? = nil,
    dmTemplateID: String? = nil, dmTemplateURL: String? = nil, config: SceneConfig? = nil,
    previewURL: String? = nil, isActive: Bool? = nil, recommendedCollections: [String]? = nil
  ) async throws(RPCError) -> SceneTemplate {
    let request = UpdateSceneTemplateRequest(
      userID: user.wireText, templateID: id.wireText, name: name, description: description,
      dmTemplateID: dmTemplateID, dmTemplateURL: dmTemplateURL, config: config,
      previewURL: previewURL, isActive: isActive,
      recommendedCollections: recommendedCollections.map { Collections(names: $0) })
    return try await stub.updateSceneTemplate(request, options: options).template.inAnswer()
  }

  /// Deletes a user's template; mockups that were made with it stay.
  ///
  /// - Returns: Whether it was there.
  @discardableResult
  public func delete(_ id: UUID, of user: UUID) async throws(RPCError) -> Bool {
    let request = DeleteSceneTemplateRequest(userID: user.wireText, templateID: id.wireText)
    return try await stub.deleteSceneTemplate(request, options: options).deleted
  }
}

extension SceneTemplate? {
  fileprivate func inAnswer() throws(RPCError) -> SceneTemplate {
    guard let self else {
      throw RPCError(code: .internalError, message: "the answer has no template")
    }
    return self
  }
}

/// Scene templates, by key, a user's before the system's. Iterating fetches them page by page.
public struct SceneTemplates: AsyncSequence, Sendable {
  public typealias Element = SceneTemplate

  /// How many templates are fetched at a time.
  private static let pageSize: Int32 = 200

  let scenes: Scenes
  let user: UUID?
  let includesInactive: Bool
  let ownOnly: Bool
  let collection: String?

  public func makeAsyncIterator() -> Iterator {
    Iterator(list: self)
  }

  fileprivate func page(_ token: String) async throws(RPCError) -> ListSceneTemplatesResponse {
    let request = ListSceneTemplatesRequest(
      userID: user?.wireText ?? "", includeInactive: includesInactive, ownOnly: ownOnly,
      collection: collection ?? "", pageSize: Self.pageSize, pageToken: token)
    return try await scenes.stub.listSceneTemplates(request, options: scenes.options)
  }

  public struct Iterator: AsyncIteratorProtocol {
    private let list: SceneTemplates
    private var page: ArraySlice<SceneTemplate> = []
    private var token: String? = ""

    init(list: SceneTemplates) {
      self.list = list
    }

    /// The next template, or nothing at the end.
    ///
    /// - Throws: ``RPCError`` where a page cannot be fetched.
    public mutating func next() async throws -> SceneTemplate? {
      while page.isEmpty, let token {
        let response = try await list.page(token)
        page = response.templates[...]
        self.token = response.nextPageToken.isEmpty ? nil : response.nextPageToken
      }
      return page.popFirst()
    }
  }
}

internal import FoundationEssentials
public import MockupAPI
public import MockupDatabase
internal import MockupCore
public import TTRPC

/// The implementation of `mockups.v1.SceneService`.
public struct SceneService: SceneServiceHandler {
  private let store: SceneStore
  private let limit: ResponseLimit

  /// Creates the service.
  ///
  /// - Parameters:
  ///   - store: The store of scene templates.
  ///   - limit: The maximum size of a response.
  public init(store: SceneStore, limit: ResponseLimit = ResponseLimit()) {
    self.store = store
    self.limit = limit
  }

  /// Returns a page of the scene templates that a user sees, ordered by key.
  public func listSceneTemplates(
    _ request: ListSceneTemplatesRequest, context: ServerContext
  ) async throws -> ListSceneTemplatesResponse {
    let filter = try request.filter()
    let count = try RequestFields.pageSize(request.pageSize, "page_size")
    let cursor = try PageToken.scene(request.pageToken, of: filter.userID, "page_token")
    let page = try await answer(context) { () throws(SceneError) in
      try await store.templates(filter, after: cursor, count: count)
    }
    let (templates, cutAfter) = try limit.page(
      of: page.rows, \.rowName, { SceneTemplate($0) })
    let next = cutAfter.map(SceneCursor.init) ?? page.next
    return ListSceneTemplatesResponse(
      templates: templates,
      nextPageToken: next.map { PageToken.text($0, of: filter.userID) } ?? "")
  }

  /// Returns a system template, or a template of the user.
  public func getSceneTemplate(
    _ request: GetSceneTemplateRequest, context: ServerContext
  ) async throws -> GetSceneTemplateResponse {
    let userID = try RequestFields.optionalUUID(request.userID, "user_id")
    let id = try RequestFields.uuid(request.templateID, "template_id")
    let template = try await answer(context) { () throws(SceneError) in
      try await store.template(id, seenBy: userID)
    }
    return GetSceneTemplateResponse(
      template: try limit.checked(SceneTemplate(template), template.rowName))
  }

  /// Returns the active template of a scene: the user's own, or otherwise the system's.
  public func resolveScene(
    _ request: ResolveSceneRequest, context: ServerContext
  ) async throws -> ResolveSceneResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let key = try RequestFields.length(request.sceneKey, 1...200, "scene_key")
    let template = try await answer(context) { () throws(SceneError) in
      try await store.resolve(key, for: userID)
    }
    return ResolveSceneResponse(
      template: try limit.checked(SceneTemplate(template), template.rowName))
  }

  /// Creates a scene template of a user.
  public func createSceneTemplate(
    _ request: CreateSceneTemplateRequest, context: ServerContext
  ) async throws -> CreateSceneTemplateResponse {
    let values = try request.values()
    let outcome = try await answer(context) { () throws(SceneError) in
      try await store.create(values)
    }
    return CreateSceneTemplateResponse(
      template: SceneTemplate(outcome.template), replayed: outcome.isReplayed)
  }

  /// Changes the given fields of a user's scene template.
  public func updateSceneTemplate(
    _ request: UpdateSceneTemplateRequest, context: ServerContext
  ) async throws -> UpdateSceneTemplateResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let id = try RequestFields.uuid(request.templateID, "template_id")
    let change = try request.change()
    let template = try await answer(context) { () throws(SceneError) in
      try await store.update(id, of: userID, change)
    }
    return UpdateSceneTemplateResponse(template: SceneTemplate(template))
  }

  /// Deletes a scene template of a user.
  public func deleteSceneTemplate(
    _ request: DeleteSceneTemplateRequest, context: ServerContext
  ) async throws -> DeleteSceneTemplateResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let id = try RequestFields.uuid(request.templateID, "template_id")
    let existed = try await answer(context) { () throws(SceneError) in
      try await store.delete(id, of: userID)
    }
    return DeleteSceneTemplateResponse(deleted: existed)
  }
}

extension MockupCore.SceneTemplate {
  fileprivate var rowName: String { "scene template \(id.wireText)" }
}

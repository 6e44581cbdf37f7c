internal import FoundationEssentials
public import MockupAPI
internal import MockupDatabase
internal import MockupCore
public import TTRPC

// The methods that generate, read, review and delete mockups.

extension MockupService {
  /// Creates a pending mockup, and reserves its credits, for each asset in each scene.
  public func generateMockups(
    _ request: GenerateMockupsRequest, context: ServerContext
  ) async throws -> GenerateMockupsResponse {
    let generation = try request.generation()
    try limit.check(items: generation.pairCount, "asset_ids")
    var response = GenerateMockupsResponse(
      try await answer(context) { () throws(MockupError) in
        try await store.generate(generation)
      })
    // A replay has the URLs of completed pictures. They are left out if they do not all fit.
    if !limit.fits(response) {
      for index in response.results.indices { response.results[index].url = "" }
    }
    return response
  }

  /// Makes a mockup pending again, and reserves the credits of a regeneration.
  public func regenerateMockup(
    _ request: RegenerateMockupRequest, context: ServerContext
  ) async throws -> RegenerateMockupResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let id = try RequestFields.uuid(request.mockupID, "mockup_id")
    let requestID = try RequestFields.uuid(request.requestID, "request_id")
    let cost = try MockupFields.cost(
      request.credits, "credits", seconds: request.timeToLiveSeconds)
    return RegenerateMockupResponse(
      try await answer(context) { () throws(MockupError) in
        try await store.regenerate(
          id, of: userID, requestID: requestID, skipsApproval: request.skipApproval, cost: cost)
      })
  }

  /// Approves a completed mockup.
  public func approveMockup(
    _ request: ApproveMockupRequest, context: ServerContext
  ) async throws -> ApproveMockupResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let id = try RequestFields.uuid(request.mockupID, "mockup_id")
    let mockup = try await answer(context) { () throws(MockupError) in
      try await store.approve(id, of: userID)
    }
    return ApproveMockupResponse(mockup: Mockup(mockup))
  }

  /// Rejects a completed mockup.
  public func rejectMockup(
    _ request: RejectMockupRequest, context: ServerContext
  ) async throws -> RejectMockupResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let id = try RequestFields.uuid(request.mockupID, "mockup_id")
    let reason = try MockupFields.optionalText(
      request.reason, longest: MockupFields.reasonLength.upperBound, "reason")
    let mockup = try await answer(context) { () throws(MockupError) in
      try await store.reject(id, of: userID, because: reason)
    }
    return RejectMockupResponse(mockup: Mockup(mockup))
  }

  /// Returns a mockup in its current state.
  public func getMockup(
    _ request: GetMockupRequest, context: ServerContext
  ) async throws -> GetMockupResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let id = try RequestFields.uuid(request.mockupID, "mockup_id")
    let mockup = try await answer(context) { () throws(MockupError) in
      try await store.mockup(id, of: userID)
    }
    return GetMockupResponse(mockup: try limit.checked(Mockup(mockup), mockup.rowName))
  }

  /// Returns a page of a user's mockups, the newest first.
  public func listMockups(
    _ request: ListMockupsRequest, context: ServerContext
  ) async throws -> ListMockupsResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let filter = MockupFilter(
      assetID: try RequestFields.optionalUUID(request.assetID, "asset_id"),
      quoteID: try RequestFields.optionalUUID(request.quoteID, "quote_id"),
      scene: try MockupFields.optionalText(
        request.scene, longest: MockupFields.sceneLength.upperBound, "scene"),
      status: try MockupFields.status(request.status, "status"))
    let count = try RequestFields.pageSize(request.pageSize, "page_size")
    let cursor = try PageToken.mockup(request.pageToken, of: userID, "page_token")
    let page = try await answer(context) { () throws(MockupError) in
      try await store.mockups(of: userID, where: filter, after: cursor, count: count)
    }
    let (mockups, cutAfter) = try limit.page(of: page.rows, \.rowName, { Mockup($0) })
    let next = cutAfter.map(MockupCursor.init) ?? page.next
    return ListMockupsResponse(
      mockups: mockups, nextPageToken: next.map { PageToken.text($0, of: userID) } ?? "")
  }

  /// Deletes a mockup, and releases its credits unless the vendor may have charged.
  public func deleteMockup(
    _ request: DeleteMockupRequest, context: ServerContext
  ) async throws -> DeleteMockupResponse {
    let userID = try RequestFields.uuid(request.userID, "user_id")
    let id = try RequestFields.uuid(request.mockupID, "mockup_id")
    let (existed, released) = try await answer(context) { () throws(MockupError) in
      try await store.delete(id, of: userID)
    }
    return DeleteMockupResponse(deleted: existed, released: released)
  }
}

extension MockupCore.Mockup {
  /// The mockup's name in error messages.
  var rowName: String { "mockup \(id.wireText)" }
}

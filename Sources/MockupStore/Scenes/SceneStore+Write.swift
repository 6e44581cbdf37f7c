public import FoundationEssentials
public import Mockups
internal import Postgres
internal import TimeOrderedID

/// What a user's scene template is made with.
public struct SceneTemplateRequest: Sendable, Hashable {
  public var userID: UUID
  /// The idempotency key, made by the client and unique for the user. The template gets an id of its own.
  public var id: UUID
  public var key: String
  public var name: String
  /// Empty: none, as the URLs.
  public var description = ""
  public var vendorID: String
  public var vendorURL = ""
  public var config = SceneConfig()
  public var previewURL = ""
  public var isActive = true
  public var recommendedCollections: [String] = []

  public init(userID: UUID, id: UUID, key: String, name: String, vendorID: String) {
    self.userID = userID
    self.id = id
    self.key = key
    self.name = name
    self.vendorID = vendorID
  }
}

/// What is to change in a user's scene template; what is `nil` stays.
public struct SceneTemplateChange: Sendable, Hashable {
  public var name: String?
  /// Empty: none, as the URLs.
  public var description: String?
  public var vendorID: String?
  public var vendorURL: String?
  /// In place of the old one, as ``SceneConfig/replacing(_:)`` says.
  public var config: SceneConfig?
  public var previewURL: String?
  public var isActive: Bool?
  public var recommendedCollections: [String]?

  public init() {}
}

/// A template that was made.
public struct SceneTemplateOutcome: Sendable, Hashable {
  /// As it stands now.
  public var template: SceneTemplate
  /// The call was sent before.
  public var isReplayed: Bool
}

extension SceneStore {
  /// Makes a template of a user.
  public func create(
    _ request: SceneTemplateRequest
  ) async throws(SceneError) -> SceneTemplateOutcome {
    let parameters = Parameters(
      now(), request.userID, request.id, UUID.timeOrdered(), request.key, request.name,
      request.description,
      request.vendorID, request.vendorURL, JSONB(text: request.config.json), request.previewURL,
      request.isActive, request.recommendedCollections)
    let rows: [CreateRow]
    do throws(PostgresError) {
      rows = try await pool.query(Queries.createSceneTemplate, parameters, CreateRow.init)
    } catch {
      throw SceneError(writing: error, user: request.userID, key: request.key)
    }
    guard let row = rows.first else { throw .database(.unexpectedAnswer("create")) }
    switch (row.outcome, row.template) {
    case ("made", let template?):
      return SceneTemplateOutcome(template: template, isReplayed: row.isReplayed)
    case ("key_taken", _): throw .keyTaken(request.key)
    case ("deleted", _): throw .unknownTemplate(request.id)
    case (let outcome, _):
      let prefix = "conflicting_"
      guard outcome.hasPrefix(prefix) else { throw .database(.unexpectedAnswer(outcome)) }
      throw .conflict(String(outcome.dropFirst(prefix.count)))
    }
  }

  /// Changes a user's template.
  public func update(
    _ id: UUID, of userID: UUID, _ change: SceneTemplateChange
  ) async throws(SceneError) -> SceneTemplate {
    let time = now()
    let changed: SceneTemplate?
    do throws(PostgresError) {
      changed = try await retrying { () throws(PostgresError) in
        try await pool.withTransaction { transaction throws(PostgresError) in
          let own = Parameters(userID, id)
          guard
            let old = try await transaction.query(
              Queries.lockSceneTemplate, own, SceneTemplate.init(row:)
            ).first
          else { return nil }
          let config = change.config.map { JSONB(text: $0.replacing(old.config).json) }
          let parameters = Parameters(
            time, userID, id, change.name, change.description, change.vendorID, change.vendorURL,
            config, change.previewURL, change.isActive, change.recommendedCollections)
          return try await transaction.query(
            Queries.updateSceneTemplate, parameters, SceneTemplate.init(row:)
          ).first
        }
      }
    } catch {
      throw SceneError(writing: error, user: userID, key: nil)
    }
    if let changed { return changed }
    throw try await whyNotOwn(id, userID)
  }

  /// Deletes a user's template.
  ///
  /// - Returns: Whether it was there.
  public func delete(_ id: UUID, of userID: UUID) async throws(SceneError) -> Bool {
    let count: Int
    do throws(PostgresError) {
      count = try await pool.execute(Queries.deleteSceneTemplate, Parameters(userID, id))
    } catch {
      throw .database(error)
    }
    if count > 0 { return true }
    if case .systemTemplate(let id) = try await whyNotOwn(id, userID) { throw .systemTemplate(id) }
    return false
  }

  /// Why a template is not a user's own: it is the system's, or for all that the user may know there is
  /// none.
  private func whyNotOwn(_ id: UUID, _ userID: UUID) async throws(SceneError) -> SceneError {
    let seen = try await read(Queries.getSceneTemplate, Parameters(userID, id))
    return seen.first?.isSystem == true ? .systemTemplate(id) : .unknownTemplate(id)
  }
}

/// A row of `create_scene_template.sql`.
private struct CreateRow: Sendable {
  var outcome: String
  var isReplayed: Bool
  var template: SceneTemplate?

  init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    outcome = try columns.read()
    isReplayed = try columns.read()
    if outcome == "made" { template = try SceneTemplate(&columns) }
  }
}

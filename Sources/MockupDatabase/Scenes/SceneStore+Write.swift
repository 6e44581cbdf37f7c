public import FoundationEssentials
public import MockupCore
internal import Postgres
internal import TimeOrderedID

/// A request to create a user's scene template.
public struct SceneTemplateRequest: Sendable, Hashable {
  /// The user who will own the template.
  public var userID: UUID
  /// The idempotency key, made by the client and unique for the user.
  ///
  /// It is not the id of the template, which the server makes.
  public var id: UUID
  /// The key by which requests will name the scene.
  public var key: String
  /// The name for people.
  public var name: String
  /// The description for people; an empty string means none.
  public var description = ""
  /// The vendor's id of the template.
  public var vendorID: String
  /// The vendor's URL of the template; an empty string means none.
  public var vendorURL = ""
  /// The placement of the artwork.
  public var config = SceneConfig()
  /// The URL of a preview image; an empty string means none.
  public var previewURL = ""
  /// A Boolean value that indicates whether mockups can be generated with the template.
  public var isActive = true
  /// The names of the collections that the scene suits.
  public var recommendedCollections: [String] = []

  /// Creates a request for an active template without optional values.
  public init(userID: UUID, id: UUID, key: String, name: String, vendorID: String) {
    self.userID = userID
    self.id = id
    self.key = key
    self.name = name
    self.vendorID = vendorID
  }
}

/// A change of a user's scene template; a property that is nil leaves its value unchanged.
public struct SceneTemplateChange: Sendable, Hashable {
  /// The new name.
  public var name: String?
  /// The new description; an empty string removes it.
  public var description: String?
  /// The new vendor id of the template.
  public var vendorID: String?
  /// The new vendor URL of the template; an empty string removes it.
  public var vendorURL: String?
  /// The new configuration, which replaces the old one as described in
  /// `SceneConfig.replacing(_:)`.
  public var config: SceneConfig?
  /// The changes of single values of the configuration, if ``config`` is nil.
  public var configChange: SceneConfigChange?
  /// The new URL of the preview image; an empty string removes it.
  public var previewURL: String?
  /// True to activate the template, or false to deactivate it.
  public var isActive: Bool?
  /// The new names of the collections that the scene suits.
  public var recommendedCollections: [String]?

  /// Creates a change that leaves all values unchanged.
  public init() {}

  /// Returns the new configuration in place of the current one, or nil if it stays unchanged.
  fileprivate func config(replacing old: SceneConfig) -> SceneConfig? {
    config?.replacing(old) ?? configChange?.applied(to: old)
  }
}

/// The result of creating a scene template.
public struct SceneTemplateOutcome: Sendable, Hashable {
  /// The template in its current state.
  public var template: SceneTemplate
  /// True if an earlier call created the template.
  public var isReplayed: Bool
}

extension SceneStore {
  /// Creates a user's template.
  ///
  /// - Throws: ``SceneError/keyTaken(_:)`` if the user has a template with the key already,
  ///   ``SceneError/deletedTemplate(requestID:)`` if the template of an earlier call with the id
  ///   was deleted, or another ``SceneError``.
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
      rows = try await retrying(on: pool.partition(of: request.userID)) {
        pool throws(PostgresError) in
        try await pool.query(Queries.createSceneTemplate, parameters, CreateRow.init)
      }
    } catch {
      throw SceneError(writing: error, user: request.userID, key: request.key)
    }
    guard let row = rows.first else { throw .database(.unexpectedAnswer("create")) }
    switch (row.outcome, row.template) {
    case ("made", let template?):
      return SceneTemplateOutcome(template: template, isReplayed: row.isReplayed)
    case ("key_taken", _): throw .keyTaken(request.key)
    case ("deleted", _): throw .deletedTemplate(requestID: request.id)
    case (let outcome, _):
      if let field = conflictingField(of: outcome) { throw .conflict(field) }
      throw .database(.unexpectedAnswer(outcome))
    }
  }

  /// Changes a user's own template.
  ///
  /// - Throws: ``SceneError/systemTemplate(_:)`` for a system template,
  ///   ``SceneError/unknownTemplate(_:)`` if the user has no template with the id, or another
  ///   ``SceneError``.
  public func update(
    _ id: UUID, of userID: UUID, _ change: SceneTemplateChange
  ) async throws(SceneError) -> SceneTemplate {
    let time = now()
    // A new configuration derives from the current one, which another call may change meanwhile.
    var previous: StoredConfig?
    if change.config != nil || change.configChange != nil {
      previous = try await read(
        Queries.getSceneTemplate, of: userID, Parameters(userID, id),
        { row throws(PostgresError) in
          try StoredConfig(row, at: 7)
        }
      ).first
    }
    while true {
      let old = SceneConfig(json: previous?.json.text ?? "{}")
      let config = change.config(replacing: old).map { JSONB(text: $0.json) }
      let parameters: Parameters = [
        time, userID, id, change.name, change.description, change.vendorID, change.vendorURL,
        config, previous?.json, change.previewURL, change.isActive, change.recommendedCollections,
      ]
      let rows: [UpdateRow]
      do throws(PostgresError) {
        rows = try await retrying(on: pool.partition(of: userID)) { pool throws(PostgresError) in
          try await pool.query(Queries.updateSceneTemplate, parameters, UpdateRow.init)
        }
      } catch {
        throw SceneError(writing: error, user: userID, key: nil)
      }
      switch (rows.first?.outcome, rows.first?.template) {
      case ("updated", let template?): return template
      case ("config_changed", _): previous = rows.first?.config
      default: throw try await errorForTemplate(id, notOwnedBy: userID)
      }
    }
  }

  /// Deletes a user's own template.
  ///
  /// - Returns: True if the template existed.
  /// - Throws: ``SceneError/systemTemplate(_:)`` for a system template, or another ``SceneError``.
  public func delete(_ id: UUID, of userID: UUID) async throws(SceneError) -> Bool {
    let deleted = try await write(Queries.deleteSceneTemplate, of: userID, Parameters(userID, id)) {
      row throws(PostgresError) in
      try row.decode(Bool.self, at: 0)
    }
    if deleted.first == true { return true }
    let error = try await errorForTemplate(id, notOwnedBy: userID)
    if case .systemTemplate = error { throw error }
    return false
  }

  /// Returns the error for a template that is not the user's own.
  ///
  /// Templates of other users are reported as unknown.
  private func errorForTemplate(
    _ id: UUID, notOwnedBy userID: UUID
  ) async throws(SceneError) -> SceneError {
    let seen = try await read(
      Queries.getSceneTemplate, of: userID, Parameters(userID, id), SceneTemplate.init(row:))
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

/// The configuration of a template as it is stored, including unknown keys.
private struct StoredConfig: Sendable {
  var json: JSONB

  init(_ row: Row, at column: Int) throws(PostgresError) {
    json = try row.decode(JSONB.self, at: column)
  }
}

/// A row of `update_scene_template.sql`.
private struct UpdateRow: Sendable {
  var outcome: String
  var template: SceneTemplate?
  var config: StoredConfig?

  init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    outcome = try columns.read()
    guard outcome != "not_found" else { return }
    template = try SceneTemplate(&columns)
    config = try StoredConfig(row, at: 8)
  }
}

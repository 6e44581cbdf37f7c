import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

@Suite struct SceneTests {
  private struct Fixture {
    let ledger: LedgerFixture
    let scenes: SceneStore
    let user: UUID

    static func with(_ body: (Fixture) async throws -> Void) async throws {
      try await LedgerFixture.with { ledger in
        try await ledger.database.withPool { pool in
          let clock = ledger.clock
          let scenes = SceneStore(pool: pool, now: { clock.now })
          try await body(Fixture(ledger: ledger, scenes: scenes, user: try await ledger.user()))
        }
      }
    }

    func request(_ key: String = "loft", id: UUID = UUID(), user: UUID? = nil)
      -> SceneTemplateRequest
    {
      SceneTemplateRequest(
        userID: user ?? self.user, id: id, key: key, name: "Loft", vendorID: "dm_1")
    }

    func template(_ key: String, of user: UUID) async throws -> UUID {
      try await scenes.create(request(key, user: user)).template.id
    }

    func keys(_ filter: SceneFilter) async throws -> [String] {
      try await scenes.templates(filter, after: nil, count: 1000).rows.map {
        $0.key + ($0.isSystem ? "" : "*")
      }
    }

    /// Returns a configuration as PostgreSQL prints it.
    func config(of id: UUID) async throws -> [String] {
      try await ledger.lines("SELECT config FROM mockup_scene_templates WHERE id = '\(id)'")
    }

    func run(_ sql: String) async throws { try await ledger.run(sql) }
  }

  private func failure(_ body: () async throws -> Void) async -> String {
    do {
      try await body()
      return "none"
    } catch let error as SceneError {
      switch error {
      case .unknownUser: return "unknownUser"
      case .unknownTemplate: return "unknownTemplate"
      case .deletedTemplate: return "deletedTemplate"
      case .unknownScene(let key): return "unknownScene \(key)"
      case .keyTaken(let key): return "keyTaken \(key)"
      case .conflict(let field): return "conflict \(field)"
      case .systemTemplate: return "systemTemplate"
      case .unstorableConfig: return "unstorableConfig"
      case .database(let error): return "database \(String(reflecting: error))"
      }
    } catch {
      return "\(error)"
    }
  }

  @Test func `every user sees the system scenes`() async throws {
    try await Fixture.with { fixture in
      let keys = ["bedroom", "home_office", "living_room", "reading_nook", "therapy_office"]
      #expect(try await fixture.keys(SceneFilter()) == keys)
      #expect(try await fixture.keys(SceneFilter(userID: fixture.user)) == keys)
      #expect(try await fixture.keys(SceneFilter(userID: UUID())) == keys)
      #expect(try await fixture.keys(SceneFilter(userID: fixture.user, ownOnly: true)) == [])
      #expect(
        try await fixture.keys(SceneFilter(collection: "grounding"))
          == ["bedroom", "living_room", "reading_nook"])
      let bedroom = try await fixture.scenes.resolve("bedroom", for: fixture.user)
      #expect(bedroom.isSystem && bedroom.userID == nil && bedroom.vendorID == "dm_bedroom_001")
      #expect(bedroom.config.smartObject == "artwork_frame")
      #expect(try await fixture.scenes.template(bedroom.id, seenBy: nil) == bedroom)
    }
  }

  @Test func `an active user template takes precedence over the system template`() async throws {
    try await Fixture.with { fixture in
      let other = try await fixture.ledger.user()
      let id = try await fixture.template("bedroom", of: fixture.user)
      #expect(try await fixture.scenes.resolve("bedroom", for: fixture.user).id == id)
      #expect(try await fixture.scenes.resolve("bedroom", for: other).isSystem)

      var change = SceneTemplateChange()
      change.isActive = false
      _ = try await fixture.scenes.update(id, of: fixture.user, change)
      #expect(try await fixture.scenes.resolve("bedroom", for: fixture.user).isSystem)
      #expect(!(try await fixture.keys(SceneFilter(userID: fixture.user)).contains("bedroom*")))
      let all = try await fixture.keys(SceneFilter(userID: fixture.user, includesInactive: true))
      #expect(all.prefix(2) == ["bedroom*", "bedroom"])

      try await fixture.run(
        "UPDATE mockup_scene_templates SET is_active = false WHERE is_system")
      #expect(
        await failure { _ = try await fixture.scenes.resolve("bedroom", for: fixture.user) }
          == "unknownScene bedroom")
    }
  }

  @Test func `a list continues after its last page`() async throws {
    try await Fixture.with { fixture in
      for key in ["bedroom", "zebra", "a-1", "a_1"] {
        _ = try await fixture.template(key, of: fixture.user)
      }
      let filter = SceneFilter(userID: fixture.user)
      let all = try await fixture.scenes.templates(filter, after: nil, count: 1000)
      #expect(all.rows.count == 9 && all.next == nil)
      for size in [1, 2, 3, 8, 9] as [Int32] {
        var found: [SceneTemplate] = []
        var cursor: SceneCursor?
        repeat {
          let page = try await fixture.scenes.templates(filter, after: cursor, count: size)
          #expect(page.rows.count <= Int(size))
          found += page.rows
          cursor = page.next
        } while cursor != nil
        #expect(found == all.rows)
      }
    }
  }

  @Test func `a retried request creates one template`() async throws {
    try await Fixture.with { fixture in
      let request = fixture.request()
      let made = try await fixture.scenes.create(request)
      #expect(!made.isReplayed)
      #expect(made.template.createdAt == fixture.ledger.clock.now)
      let again = try await fixture.scenes.create(request)
      #expect(again.isReplayed && again.template == made.template)

      // A retry is replayed after a change, but not after a deletion.
      var change = SceneTemplateChange()
      change.name = "Other"
      let id = made.template.id
      let changed = try await fixture.scenes.update(id, of: fixture.user, change)
      #expect(try await fixture.scenes.create(request).template == changed)
      #expect(try await fixture.scenes.delete(id, of: fixture.user))
      #expect(try await fixture.scenes.delete(id, of: fixture.user) == false)
      #expect(
        await failure { _ = try await fixture.scenes.create(request) } == "deletedTemplate")
      #expect(try await fixture.keys(SceneFilter(userID: fixture.user, ownOnly: true)) == [])
    }
  }

  @Test func `a request id is bound to one request`() async throws {
    try await Fixture.with { fixture in
      let first = fixture.request()
      _ = try await fixture.scenes.create(first)
      let changes: [(String, (inout SceneTemplateRequest) throws -> Void)] = [
        ("scene_key", { $0.key = "other" }), ("name", { $0.name = "x" }),
        ("description", { $0.description = "x" }), ("dm_template_id", { $0.vendorID = "x" }),
        ("dm_template_url", { $0.vendorURL = "http://x" }),
        ("config", { $0.config = try SceneConfig(rotation: 1) }),
        ("preview_url", { $0.previewURL = "http://x" }), ("is_inactive", { $0.isActive = false }),
        ("recommended_collections", { $0.recommendedCollections = ["x"] }),
      ]
      for (field, change) in changes {
        var request = first
        try change(&request)
        #expect(
          await failure { _ = try await fixture.scenes.create(request) } == "conflict \(field)")
      }
      // A rejected request does not use up its id.
      let refused = fixture.request(id: UUID())
      for _ in 1...2 {
        #expect(await failure { _ = try await fixture.scenes.create(refused) } == "keyTaken loft")
      }
    }
  }

  /// The ids are those of another user's request and template, of a system template, and a new one.
  @Test func `an id reveals nothing about other users`() async throws {
    try await Fixture.with { fixture in
      let other = try await fixture.ledger.user()
      let request = fixture.request(user: other)
      let theirs = try await fixture.scenes.create(request).template
      let system = try await fixture.scenes.resolve("bedroom", for: other)
      for (number, id) in [request.id, theirs.id, system.id, UUID()].enumerated() {
        let own = fixture.request("loft-\(number)", id: id)
        let made = try await fixture.scenes.create(own)
        #expect(!made.isReplayed && made.template.userID == fixture.user)
        #expect(made.template.id != id)
        #expect(try await fixture.scenes.create(own).template == made.template)
      }
      #expect(try await fixture.scenes.template(theirs.id, seenBy: other) == theirs)
      #expect(try await fixture.scenes.create(request).template == theirs)
    }
  }

  @Test func `a user has one template for each key`() async throws {
    try await Fixture.with { fixture in
      let id = try await fixture.template("loft", of: fixture.user)
      let second = fixture.request("loft")
      #expect(await failure { _ = try await fixture.scenes.create(second) } == "keyTaken loft")
      _ = try await fixture.template("loft", of: try await fixture.ledger.user())
      #expect(try await fixture.scenes.delete(id, of: fixture.user))
      #expect(try await fixture.scenes.create(second).isReplayed == false)
    }
  }

  @Test func `an unknown user cannot create a template`() async throws {
    try await Fixture.with { fixture in
      let request = fixture.request(user: UUID())
      #expect(await failure { _ = try await fixture.scenes.create(request) } == "unknownUser")
    }
  }

  @Test func `system templates cannot be changed`() async throws {
    try await Fixture.with { fixture in
      let system = try await fixture.scenes.resolve("bedroom", for: fixture.user)
      var change = SceneTemplateChange()
      change.name = "Mine"
      #expect(
        await failure { _ = try await fixture.scenes.update(system.id, of: fixture.user, change) }
          == "systemTemplate")
      #expect(
        await failure { _ = try await fixture.scenes.delete(system.id, of: fixture.user) }
          == "systemTemplate")
      #expect(try await fixture.scenes.resolve("bedroom", for: fixture.user) == system)
      // The server's login cannot change any template by SQL.
      try await fixture.ledger.database.withPool { pool in
        for change in ["DELETE FROM", "UPDATE"] {
          let assignment = change == "UPDATE" ? "SET name = 'x'" : ""
          let error = await #expect(throws: PostgresError.self) {
            try await pool.execute(
              Statement("\(change) public.mockup_scene_templates \(assignment)"))
          }
          #expect(error?.sqlState == .insufficientPrivilege)
        }
      }
    }
  }

  @Test func `a template of another user is unknown`() async throws {
    try await Fixture.with { fixture in
      let other = try await fixture.ledger.user()
      let id = try await fixture.template("loft", of: other)
      let scenes = fixture.scenes
      #expect(
        await failure { _ = try await scenes.template(id, seenBy: fixture.user) }
          == "unknownTemplate"
      )
      #expect(await failure { _ = try await scenes.template(id, seenBy: nil) } == "unknownTemplate")
      #expect(
        await failure { _ = try await scenes.resolve("loft", for: fixture.user) }
          == "unknownScene loft")
      var change = SceneTemplateChange()
      change.name = "Mine"
      #expect(
        await failure { _ = try await scenes.update(id, of: fixture.user, change) }
          == "unknownTemplate")
      #expect(try await scenes.delete(id, of: fixture.user) == false)
      #expect(try await fixture.keys(SceneFilter(userID: fixture.user)).contains("loft*") == false)
      #expect(try await scenes.template(id, seenBy: other).name == "Loft")
    }
  }

  @Test func `a change keeps the fields that it does not name`() async throws {
    try await Fixture.with { fixture in
      var request = fixture.request()
      request.description = "words"
      request.vendorURL = "https://vendor/1"
      request.previewURL = "https://preview/1"
      request.recommendedCollections = ["growth", "growth", ""]
      request.config = SceneConfig(json: #"{"smart_object":"a","more":1.50}"#)
      var template = try await fixture.scenes.create(request).template
      let same = try await fixture.scenes.update(
        template.id, of: fixture.user, SceneTemplateChange())
      template.updatedAt = same.updatedAt
      #expect(same == template)

      var change = SceneTemplateChange()
      change.description = ""
      change.vendorURL = ""
      change.previewURL = ""
      change.recommendedCollections = []
      change.vendorID = "dm_2"
      let changed = try await fixture.scenes.update(template.id, of: fixture.user, change)
      #expect(changed.description == nil && changed.vendorURL == nil && changed.previewURL == nil)
      #expect(changed.recommendedCollections == [] && changed.vendorID == "dm_2")
      #expect(changed.name == template.name && changed.config == template.config)
    }
  }

  @Test func `unknown configuration keys keep any value`() async throws {
    try await Fixture.with { fixture in
      let id = try await fixture.template("loft", of: fixture.user)
      let json =
        #"{"big": 123456789012345678901234567890.12345678901234567890, "deep": {"a": [1, null]}, "#
        + #""scale": "double", "smart_object_name": "old", "default_position": {"x": 1, "y": 2}}"#
      try await fixture.run(
        "UPDATE mockup_scene_templates SET config = '\(json)' WHERE id = '\(id)'")
      let before = try await fixture.scenes.template(id, seenBy: fixture.user)
      #expect(before.config.smartObject == "old")
      #expect(before.config.position == SceneConfig.Position(x: 1, y: 2))

      var other = JSONObject()
      other["deep"] = "2"
      var change = SceneTemplateChange()
      change.config = try SceneConfig(smartObject: "new", rotation: 1.5, other: other)
      _ = try await fixture.scenes.update(id, of: fixture.user, change)
      #expect(
        try await fixture.config(of: id) == [
          #"{"big": 123456789012345678901234567890.12345678901234567890, "deep": 2, "#
            + #""scale": "double", "rotation": 1.5, "smart_object": "new"}"#
        ])
    }
  }

  @Test(arguments: [#""\u0000""#, #""\ud800""#, "1e1000000"])
  func `a configuration that PostgreSQL cannot store is rejected`(value: String) async throws {
    try await Fixture.with { fixture in
      var other = JSONObject()
      other["a"] = value
      var request = fixture.request()
      request.config = try SceneConfig(other: other)
      #expect(await failure { _ = try await fixture.scenes.create(request) } == "unstorableConfig")
      let id = try await fixture.template("loft", of: fixture.user)
      var change = SceneTemplateChange()
      change.config = request.config
      #expect(
        await failure { _ = try await fixture.scenes.update(id, of: fixture.user, change) }
          == "unstorableConfig")
    }
  }
}

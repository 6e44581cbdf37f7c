import FoundationEssentials
import MockupStore
import Mockups
import Postgres
import TestSupport
import Testing

@Suite struct SceneTests {
  private struct World {
    let books: Books
    let scenes: SceneStore
    let user: UUID

    static func with(_ body: (World) async throws -> Void) async throws {
      try await Books.with { books in
        try await books.database.withPool { pool in
          let clock = books.clock
          let scenes = SceneStore(pool: pool, now: { clock.now })
          try await body(World(books: books, scenes: scenes, user: try await books.user()))
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
      try await scenes.templates(filter, after: nil, count: 1000).templates.map {
        $0.key + ($0.isSystem ? "" : "*")
      }
    }

    /// The database's own text of a configuration.
    func config(of id: UUID) async throws -> [String] {
      try await books.lines("SELECT config FROM mockup_scene_templates WHERE id = '\(id)'")
    }

    func run(_ sql: String) async throws { try await books.run(sql) }
  }

  private func failure(_ body: () async throws -> Void) async -> String {
    do {
      try await body()
      return "none"
    } catch let error as SceneError {
      switch error {
      case .unknownUser: return "unknownUser"
      case .unknownTemplate: return "unknownTemplate"
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

  @Test func theSystemsScenesAreEverybodys() async throws {
    try await World.with { world in
      let keys = ["bedroom", "home_office", "living_room", "reading_nook", "therapy_office"]
      #expect(try await world.keys(SceneFilter()) == keys)
      #expect(try await world.keys(SceneFilter(userID: world.user)) == keys)
      #expect(try await world.keys(SceneFilter(userID: UUID())) == keys)
      #expect(try await world.keys(SceneFilter(userID: world.user, ownOnly: true)) == [])
      #expect(
        try await world.keys(SceneFilter(collection: "grounding"))
          == ["bedroom", "living_room", "reading_nook"])
      let bedroom = try await world.scenes.resolve("bedroom", for: world.user)
      #expect(bedroom.isSystem && bedroom.userID == nil && bedroom.vendorID == "dm_bedroom_001")
      #expect(bedroom.config.smartObject == "artwork_frame")
      #expect(try await world.scenes.template(bedroom.id, seenBy: nil) == bedroom)
    }
  }

  @Test func anActiveSceneOfAUserStandsBeforeTheSystemsOfTheSameKey() async throws {
    try await World.with { world in
      let other = try await world.books.user()
      let id = try await world.template("bedroom", of: world.user)
      #expect(try await world.scenes.resolve("bedroom", for: world.user).id == id)
      #expect(try await world.scenes.resolve("bedroom", for: other).isSystem)

      var change = SceneTemplateChange()
      change.isActive = false
      _ = try await world.scenes.update(id, of: world.user, change)
      #expect(try await world.scenes.resolve("bedroom", for: world.user).isSystem)
      #expect(!(try await world.keys(SceneFilter(userID: world.user)).contains("bedroom*")))
      let all = try await world.keys(SceneFilter(userID: world.user, includesInactive: true))
      #expect(all.prefix(2) == ["bedroom*", "bedroom"])

      try await world.run(
        "UPDATE mockup_scene_templates SET is_active = false WHERE is_system")
      #expect(
        await failure { _ = try await world.scenes.resolve("bedroom", for: world.user) }
          == "unknownScene bedroom")
    }
  }

  @Test func aListGoesOnWhereItsPageEnded() async throws {
    try await World.with { world in
      for key in ["bedroom", "zebra", "a-1", "a_1"] {
        _ = try await world.template(key, of: world.user)
      }
      let filter = SceneFilter(userID: world.user)
      let all = try await world.scenes.templates(filter, after: nil, count: 1000)
      #expect(all.templates.count == 9 && all.next == nil)
      for size in [1, 2, 3, 8, 9] as [Int32] {
        var found: [SceneTemplate] = []
        var cursor: ScenePage.Cursor?
        repeat {
          let page = try await world.scenes.templates(filter, after: cursor, count: size)
          #expect(page.templates.count <= Int(size))
          found += page.templates
          cursor = page.next
        } while cursor != nil
        #expect(found == all.templates)
      }
    }
  }

  @Test func whatIsMadeTwiceIsMadeOnce() async throws {
    try await World.with { world in
      let request = world.request()
      let made = try await world.scenes.create(request)
      #expect(!made.isReplayed)
      #expect(made.template.createdAt == world.books.clock.now)
      let again = try await world.scenes.create(request)
      #expect(again.isReplayed && again.template == made.template)

      // Also when it was changed since, and not when it was deleted.
      var change = SceneTemplateChange()
      change.name = "Other"
      let id = made.template.id
      let changed = try await world.scenes.update(id, of: world.user, change)
      #expect(try await world.scenes.create(request).template == changed)
      #expect(try await world.scenes.delete(id, of: world.user))
      #expect(try await world.scenes.delete(id, of: world.user) == false)
      #expect(
        await failure { _ = try await world.scenes.create(request) } == "unknownTemplate")
      #expect(try await world.keys(SceneFilter(userID: world.user, ownOnly: true)) == [])
    }
  }

  @Test func anIdStandsForOneRequest() async throws {
    try await World.with { world in
      let first = world.request()
      _ = try await world.scenes.create(first)
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
          await failure { _ = try await world.scenes.create(request) } == "conflict \(field)")
      }
      // What was refused may be asked for again.
      let refused = world.request(id: UUID())
      for _ in 1...2 {
        #expect(await failure { _ = try await world.scenes.create(refused) } == "keyTaken loft")
      }
    }
  }

  /// The id of a request or a template of another user, of the system's, and one that nobody has.
  @Test func `an id tells nothing about what other users have`() async throws {
    try await World.with { world in
      let other = try await world.books.user()
      let request = world.request(user: other)
      let theirs = try await world.scenes.create(request).template
      let system = try await world.scenes.resolve("bedroom", for: other)
      for (number, id) in [request.id, theirs.id, system.id, UUID()].enumerated() {
        let own = world.request("loft-\(number)", id: id)
        let made = try await world.scenes.create(own)
        #expect(!made.isReplayed && made.template.userID == world.user)
        #expect(made.template.id != id)
        #expect(try await world.scenes.create(own).template == made.template)
      }
      #expect(try await world.scenes.template(theirs.id, seenBy: other) == theirs)
      #expect(try await world.scenes.create(request).template == theirs)
    }
  }

  @Test func aUserHasOneSceneOfAKey() async throws {
    try await World.with { world in
      let id = try await world.template("loft", of: world.user)
      let second = world.request("loft")
      #expect(await failure { _ = try await world.scenes.create(second) } == "keyTaken loft")
      _ = try await world.template("loft", of: try await world.books.user())
      #expect(try await world.scenes.delete(id, of: world.user))
      #expect(try await world.scenes.create(second).isReplayed == false)
    }
  }

  @Test func whoDoesNotExistMakesNone() async throws {
    try await World.with { world in
      let request = world.request(user: UUID())
      #expect(await failure { _ = try await world.scenes.create(request) } == "unknownUser")
    }
  }

  @Test func theSystemsScenesAreNobodysToChange() async throws {
    try await World.with { world in
      let system = try await world.scenes.resolve("bedroom", for: world.user)
      var change = SceneTemplateChange()
      change.name = "Mine"
      #expect(
        await failure { _ = try await world.scenes.update(system.id, of: world.user, change) }
          == "systemTemplate")
      #expect(
        await failure { _ = try await world.scenes.delete(system.id, of: world.user) }
          == "systemTemplate")
      #expect(try await world.scenes.resolve("bedroom", for: world.user) == system)
      // Nor the service's, by statements of its own.
      let changed = try await world.books.database.withPool { pool in
        try await [
          pool.execute("DELETE FROM public.mockup_scene_templates WHERE is_system"),
          pool.execute("UPDATE public.mockup_scene_templates SET name = 'x' WHERE is_system"),
        ]
      }
      #expect(changed == [0, 0])
    }
  }

  @Test func anotherUsersSceneIsAsIfThereWereNone() async throws {
    try await World.with { world in
      let other = try await world.books.user()
      let id = try await world.template("loft", of: other)
      let scenes = world.scenes
      #expect(
        await failure { _ = try await scenes.template(id, seenBy: world.user) } == "unknownTemplate"
      )
      #expect(await failure { _ = try await scenes.template(id, seenBy: nil) } == "unknownTemplate")
      #expect(
        await failure { _ = try await scenes.resolve("loft", for: world.user) }
          == "unknownScene loft")
      var change = SceneTemplateChange()
      change.name = "Mine"
      #expect(
        await failure { _ = try await scenes.update(id, of: world.user, change) }
          == "unknownTemplate")
      #expect(try await scenes.delete(id, of: world.user) == false)
      #expect(try await world.keys(SceneFilter(userID: world.user)).contains("loft*") == false)
      #expect(try await scenes.template(id, seenBy: other).name == "Loft")
    }
  }

  @Test func aChangeLeavesWhatItDoesNotName() async throws {
    try await World.with { world in
      var request = world.request()
      request.description = "words"
      request.vendorURL = "https://vendor/1"
      request.previewURL = "https://preview/1"
      request.recommendedCollections = ["growth", "growth", ""]
      request.config = SceneConfig(json: #"{"smart_object":"a","more":1.50}"#)
      var template = try await world.scenes.create(request).template
      let same = try await world.scenes.update(template.id, of: world.user, SceneTemplateChange())
      template.updatedAt = same.updatedAt
      #expect(same == template)

      var change = SceneTemplateChange()
      change.description = ""
      change.vendorURL = ""
      change.previewURL = ""
      change.recommendedCollections = []
      change.vendorID = "dm_2"
      let changed = try await world.scenes.update(template.id, of: world.user, change)
      #expect(changed.description == nil && changed.vendorURL == nil && changed.previewURL == nil)
      #expect(changed.recommendedCollections == [] && changed.vendorID == "dm_2")
      #expect(changed.name == template.name && changed.config == template.config)
    }
  }

  @Test func keysThatAreNotKnownStayWhateverTheyHold() async throws {
    try await World.with { world in
      let id = try await world.template("loft", of: world.user)
      let json =
        #"{"big": 123456789012345678901234567890.12345678901234567890, "deep": {"a": [1, null]}, "#
        + #""scale": "double", "smart_object_name": "old", "default_position": {"x": 1, "y": 2}}"#
      try await world.run(
        "UPDATE mockup_scene_templates SET config = '\(json)' WHERE id = '\(id)'")
      let before = try await world.scenes.template(id, seenBy: world.user)
      #expect(before.config.smartObject == "old")
      #expect(before.config.position == SceneConfig.Position(x: 1, y: 2))

      var other = JSONObject()
      other["deep"] = "2"
      var change = SceneTemplateChange()
      change.config = try SceneConfig(smartObject: "new", rotation: 1.5, other: other)
      _ = try await world.scenes.update(id, of: world.user, change)
      #expect(
        try await world.config(of: id) == [
          #"{"big": 123456789012345678901234567890.12345678901234567890, "deep": 2, "#
            + #""scale": "double", "rotation": 1.5, "smart_object": "new"}"#
        ])
    }
  }

  @Test(arguments: [#""\u0000""#, #""\ud800""#, "1e1000000"])
  func whatTheDatabaseHasNoFormForIsRefused(value: String) async throws {
    try await World.with { world in
      var other = JSONObject()
      other["a"] = value
      var request = world.request()
      request.config = try SceneConfig(other: other)
      #expect(await failure { _ = try await world.scenes.create(request) } == "unstorableConfig")
      let id = try await world.template("loft", of: world.user)
      var change = SceneTemplateChange()
      change.config = request.config
      #expect(
        await failure { _ = try await world.scenes.update(id, of: world.user, change) }
          == "unstorableConfig")
    }
  }
}

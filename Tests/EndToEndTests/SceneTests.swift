import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// Scenes through the client library, and invalid requests for them.
@Suite struct SceneTests {
  @Test func `a scene is created, found, changed and deleted`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      let other = try await database.makeUser()
      try await database.withServer { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          let scenes = client.scenes
          let request = UUID()
          let config = SceneConfig(
            smartObject: "frame", defaultSize: Size(width: 800, height: 1000.5),
            position: Position(x: -1, y: 0), rotation: 0, scale: 2,
            otherJSON: #"{"big": 12345678901234567890123.0, "list": [1]}"#)
          let made = try await scenes.create(
            "bedroom", for: user, id: request, name: "Mine", dmTemplateID: "dm_9", config: config,
            recommendedCollections: ["growth"])
          let template = try #require(made.template)
          let id = try #require(UUID(uuidString: template.templateID))
          #expect(!made.replayed && !template.isSystem && template.isActive)
          #expect(template.userID == user.wireText && template.sceneKey == "bedroom")
          var kept = config
          kept.otherJSON = #"{"big":12345678901234567890123.0,"list":[1]}"#
          #expect(template.config == kept)

          #expect(try await scenes.resolve("bedroom", for: user) == template)
          #expect(try await scenes.resolve("bedroom", for: other).isSystem)
          #expect(try await scenes.template(id, seenBy: user) == template)
          await #expect(throws: RPCError.self) { try await scenes.template(id, seenBy: other) }
          var keys: [String] = []
          for try await found in scenes.templates(seenBy: user) { keys.append(found.sceneKey) }
          #expect(keys.count == 6 && keys.prefix(2) == ["bedroom", "bedroom"])
          var own: [SceneTemplate] = []
          for try await found in scenes.templates(seenBy: user, ownOnly: true) { own.append(found) }
          #expect(own == [template])

          let changed = try await scenes.update(id, of: user, config: SceneConfig(rotation: 90))
          #expect(changed.config?.smartObject == "" && changed.config?.rotation == 90)
          #expect(changed.config?.otherJSON == kept.otherJSON)
          #expect(changed.name == "Mine")
          // A configuration that was read can be written back unchanged.
          let again = try await scenes.update(id, of: user, config: changed.config)
          #expect(again.config == changed.config)

          #expect(try await scenes.delete(id, of: user))
          #expect(try await scenes.delete(id, of: user) == false)
          #expect(try await scenes.resolve("bedroom", for: user).isSystem)
        }
      }
    }
  }

  /// A user with a scene of its own, and a system scene.
  struct Fixture {
    let user: UUID
    let own: UUID
    let system: String
    let stub: SceneServiceClient

    var create: CreateSceneTemplateRequest {
      CreateSceneTemplateRequest(
        userID: user.wireText, requestID: UUID().wireText, sceneKey: "new", name: "New",
        dmTemplateID: "dm")
    }
    var update: UpdateSceneTemplateRequest {
      UpdateSceneTemplateRequest(userID: user.wireText, templateID: own.wireText)
    }
  }

  struct Case: Sendable {
    let name: String
    let code: StatusCode
    var field: String?
    let call: @Sendable (Fixture) async throws -> Void

    static func create(
      _ name: String, _ field: String, _ code: StatusCode = .invalidArgument,
      _ change: @escaping @Sendable (inout CreateSceneTemplateRequest) -> Void
    ) -> Case {
      Case(name: "create: \(name)", code: code, field: field) { fixture in
        var request = fixture.create
        change(&request)
        _ = try await fixture.stub.createSceneTemplate(request)
      }
    }

    static func update(
      _ name: String, _ field: String,
      _ change: @escaping @Sendable (inout UpdateSceneTemplateRequest) -> Void
    ) -> Case {
      Case(name: "update: \(name)", code: .invalidArgument, field: field) { fixture in
        var request = fixture.update
        change(&request)
        _ = try await fixture.stub.updateSceneTemplate(request)
      }
    }

    static func list(
      _ name: String, _ field: String,
      _ change: @escaping @Sendable (inout ListSceneTemplatesRequest) -> Void
    ) -> Case {
      Case(name: "list: \(name)", code: .invalidArgument, field: field) { fixture in
        var request = ListSceneTemplatesRequest(userID: fixture.user.wireText)
        change(&request)
        _ = try await fixture.stub.listSceneTemplates(request)
      }
    }
  }

  private static func text(_ count: Int) -> String { String(repeating: "x", count: count) }

  private static let createCases: [Case] = [
    .create("empty user id", "user_id") { $0.userID = "" },
    .create("an invalid request id", "request_id") { $0.requestID = "5" },
    .create("an empty key", "scene_key") { $0.sceneKey = "" },
    .create("a long key", "scene_key") { $0.sceneKey = text(65) },
    .create("a key in capitals", "scene_key") { $0.sceneKey = "Loft" },
    .create("a key with a space", "scene_key") { $0.sceneKey = "a b" },
    .create("a key with an umlaut", "scene_key") { $0.sceneKey = "ä" },
    .create("a key that is taken", "scene_key", .alreadyExists) { $0.sceneKey = "own" },
    .create("an empty name", "name") { $0.name = "" },
    .create("a long name", "name") { $0.name = text(201) },
    .create("a name with U+0000", "name") { $0.name = "a\0b" },
    .create("a long description", "description") { $0.description = text(2001) },
    .create("an empty vendor template id", "dm_template_id") { $0.dmTemplateID = "" },
    .create("a path for a URL", "dm_template_url") { $0.dmTemplateURL = "/a" },
    .create("a URL with scheme ftp", "dm_template_url") { $0.dmTemplateURL = "ftp://host/a" },
    .create("a URL with scheme javascript", "preview_url") {
      $0.previewURL = "javascript:alert(1)"
    },
    .create("a URL without a host", "preview_url") { $0.previewURL = "http:///a" },
    .create("a URL with a space", "preview_url") { $0.previewURL = "http://host/a b" },
    .create("a long URL", "preview_url") { $0.previewURL = "http://host/" + text(2048) },
    .create("an infinite scale", "config.scale") { $0.config = SceneConfig(scale: .infinity) },
    .create("a rotation of NaN", "config.rotation") {
      $0.config = SceneConfig(rotation: .nan)
    },
    .create("an infinite size", "config.default_size") {
      $0.config = SceneConfig(defaultSize: Size(width: 1, height: -.infinity))
    },
    .create("a long smart object", "config.smart_object") {
      $0.config = SceneConfig(smartObject: text(201))
    },
    .create("other_json with an array", "config.other_json") {
      $0.config = SceneConfig(otherJSON: "[]")
    },
    .create("other_json that is not JSON", "config.other_json") {
      $0.config = SceneConfig(otherJSON: "{a}")
    },
    .create("other_json that is too long", "config.other_json") {
      $0.config = SceneConfig(otherJSON: #"{"a":"\#(text(20_000))"}"#)
    },
    .create("other_json with a known key", "config.other_json") {
      $0.config = SceneConfig(otherJSON: #"{"rotation":1}"#)
    },
    .create("other_json with the other spelling of a known key", "config.other_json") {
      $0.config = SceneConfig(otherJSON: #"{"smart_object_name":"a"}"#)
    },
    .create("other_json with U+0000", "config") {
      $0.config = SceneConfig(otherJSON: #"{"a":"\u0000"}"#)
    },
    .create("an empty collection", "recommended_collections[1]") {
      $0.recommendedCollections = ["a", ""]
    },
    .create("too many collections", "recommended_collections") {
      $0.recommendedCollections = Array(repeating: "a", count: 33)
    },
  ]

  private static let otherCases: [Case] = [
    .update("empty template id", "template_id") { $0.templateID = "" },
    .update("an empty name", "name") { $0.name = "" },
    .update("an empty vendor template id", "dm_template_id") { $0.dmTemplateID = "" },
    .update("a path for a URL", "preview_url") { $0.previewURL = "a" },
    .update("other_json that is not JSON", "config.other_json") {
      $0.config = SceneConfig(otherJSON: "x")
    },
    .update("a change and a whole configuration", "config_change") {
      $0.config = SceneConfig(scale: 1)
      $0.configChange = SceneConfigChange(rotation: 1)
    },
    .update("a change to an infinite size", "config_change.default_size") {
      $0.configChange = SceneConfigChange(defaultSize: Size(width: 1, height: .infinity))
    },
    .update("a change to a long smart object", "config_change.smart_object") {
      $0.configChange = SceneConfigChange(smartObject: text(201))
    },
    .update("a change with other_json that has a known key", "config_change.other_json") {
      $0.configChange = SceneConfigChange(otherJSON: #"{"rotation":1}"#)
    },
    .update("an empty collection", "recommended_collections.names[0]") {
      $0.recommendedCollections = Collections(names: [""])
    },
    .list("own scenes without a user", "user_id") {
      $0.userID = ""
      $0.ownOnly = true
    },
    .list("a negative page", "page_size") { $0.pageSize = -1 },
    .list("an invalid token", "page_token") { $0.pageToken = "nonsense" },
    .list("the token of another list", "page_token") { $0.pageToken = "MjAyNi81" },
    .list("a long collection", "collection") { $0.collection = text(65) },
    Case(name: "create: an unknown user", code: .notFound) { fixture in
      var request = fixture.create
      request.userID = UUID().wireText
      _ = try await fixture.stub.createSceneTemplate(request)
    },
    Case(name: "update: a system scene", code: .failedPrecondition) { fixture in
      var request = fixture.update
      request.templateID = fixture.system
      _ = try await fixture.stub.updateSceneTemplate(request)
    },
    Case(name: "delete: a system scene", code: .failedPrecondition) { fixture in
      _ = try await fixture.stub.deleteSceneTemplate(
        DeleteSceneTemplateRequest(userID: fixture.user.wireText, templateID: fixture.system))
    },
    Case(name: "update: another user's scene", code: .notFound) { fixture in
      var request = fixture.update
      request.userID = UUID().wireText
      _ = try await fixture.stub.updateSceneTemplate(request)
    },
    Case(name: "resolve: an empty key", code: .invalidArgument, field: "scene_key") { fixture in
      _ = try await fixture.stub.resolveScene(ResolveSceneRequest(userID: fixture.user.wireText))
    },
    Case(name: "resolve: an unknown key", code: .notFound) { fixture in
      _ = try await fixture.stub.resolveScene(
        ResolveSceneRequest(userID: fixture.user.wireText, sceneKey: "nowhere"))
    },
    Case(name: "get: an unknown scene", code: .notFound) { fixture in
      _ = try await fixture.stub.getSceneTemplate(
        GetSceneTemplateRequest(templateID: UUID().wireText))
    },
  ]

  @Test func `an invalid request is refused and changes nothing`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      try await database.withServer { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          let made = try await client.scenes.create(
            "own", for: user, name: "Own", dmTemplateID: "dm")
          let own = try #require(made.template.flatMap { UUID(uuidString: $0.templateID) })
          let system = try await client.scenes.resolve("bedroom", for: user).templateID
          let connection = Client(path: server.socket)
          let fixture = Fixture(
            user: user, own: own, system: system, stub: SceneServiceClient(connection))
          let before = try await database.scenes()
          for test in Self.createCases + Self.otherCases {
            let error = await #expect(throws: RPCError.self, "\(test.name)") {
              try await test.call(fixture)
            }
            #expect(error?.code == test.code, "\(test.name): \(error as Any)")
            let fields: [String] =
              error?.details.flatMap { detail -> [String] in
                if case .badRequest(let violations) = detail { violations.map(\.field) } else { [] }
              } ?? []
            #expect(fields == (test.field.map { [$0] } ?? []), "\(test.name)")
          }
          await connection.close()
          #expect(try await database.scenes() == before)
        }
      }
    }
  }
}

extension MigratedDatabase {
  fileprivate func scenes() async throws -> [String] {
    try await texts(
      """
      SELECT t::text FROM public.mockup_scene_templates AS t
      UNION ALL SELECT r::text FROM mockupd.scene_template_requests AS r
      ORDER BY 1
      """)
  }
}

import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// Scenes by way of the client library, and requests about them that make no sense.
@Suite struct SceneTests {
  @Test func aSceneIsMadeFoundChangedAndDeleted() async throws {
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
          // What was read can be sent back.
          let again = try await scenes.update(id, of: user, config: changed.config)
          #expect(again.config == changed.config)

          #expect(try await scenes.delete(id, of: user))
          #expect(try await scenes.delete(id, of: user) == false)
          #expect(try await scenes.resolve("bedroom", for: user).isSystem)
        }
      }
    }
  }

  /// A user with a scene, and the system's.
  struct World {
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
    let call: @Sendable (World) async throws -> Void

    static func create(
      _ name: String, _ field: String, _ code: StatusCode = .invalidArgument,
      _ change: @escaping @Sendable (inout CreateSceneTemplateRequest) -> Void
    ) -> Case {
      Case(name: "create: \(name)", code: code, field: field) { world in
        var request = world.create
        change(&request)
        _ = try await world.stub.createSceneTemplate(request)
      }
    }

    static func update(
      _ name: String, _ field: String,
      _ change: @escaping @Sendable (inout UpdateSceneTemplateRequest) -> Void
    ) -> Case {
      Case(name: "update: \(name)", code: .invalidArgument, field: field) { world in
        var request = world.update
        change(&request)
        _ = try await world.stub.updateSceneTemplate(request)
      }
    }

    static func list(
      _ name: String, _ field: String,
      _ change: @escaping @Sendable (inout ListSceneTemplatesRequest) -> Void
    ) -> Case {
      Case(name: "list: \(name)", code: .invalidArgument, field: field) { world in
        var request = ListSceneTemplatesRequest(userID: world.user.wireText)
        change(&request)
        _ = try await world.stub.listSceneTemplates(request)
      }
    }
  }

  private static func text(_ count: Int) -> String { String(repeating: "x", count: count) }

  private static let createCases: [Case] = [
    .create("no user", "user_id") { $0.userID = "" },
    .create("no id", "request_id") { $0.requestID = "5" },
    .create("no key", "scene_key") { $0.sceneKey = "" },
    .create("a long key", "scene_key") { $0.sceneKey = text(65) },
    .create("a key in capitals", "scene_key") { $0.sceneKey = "Loft" },
    .create("a key with a space", "scene_key") { $0.sceneKey = "a b" },
    .create("a key with an umlaut", "scene_key") { $0.sceneKey = "ä" },
    .create("the key of another", "scene_key", .alreadyExists) { $0.sceneKey = "own" },
    .create("no name", "name") { $0.name = "" },
    .create("a long name", "name") { $0.name = text(201) },
    .create("a name with U+0000", "name") { $0.name = "a\0b" },
    .create("a long description", "description") { $0.description = text(2001) },
    .create("no vendor's template", "dm_template_id") { $0.dmTemplateID = "" },
    .create("a path for a URL", "dm_template_url") { $0.dmTemplateURL = "/a" },
    .create("a URL of ftp", "dm_template_url") { $0.dmTemplateURL = "ftp://host/a" },
    .create("a URL of javascript", "preview_url") { $0.previewURL = "javascript:alert(1)" },
    .create("a URL without a host", "preview_url") { $0.previewURL = "http:///a" },
    .create("a URL with a space", "preview_url") { $0.previewURL = "http://host/a b" },
    .create("a long URL", "preview_url") { $0.previewURL = "http://host/" + text(2048) },
    .create("an infinite scale", "config.scale") { $0.config = SceneConfig(scale: .infinity) },
    .create("a rotation that is no number", "config.rotation") {
      $0.config = SceneConfig(rotation: .nan)
    },
    .create("an infinite size", "config.default_size") {
      $0.config = SceneConfig(defaultSize: Size(width: 1, height: -.infinity))
    },
    .create("a long smart object", "config.smart_object") {
      $0.config = SceneConfig(smartObject: text(201))
    },
    .create("an array beside it", "config.other_json") { $0.config = SceneConfig(otherJSON: "[]") },
    .create("no JSON beside it", "config.other_json") { $0.config = SceneConfig(otherJSON: "{a}") },
    .create("much beside it", "config.other_json") {
      $0.config = SceneConfig(otherJSON: #"{"a":"\#(text(20_000))"}"#)
    },
    .create("a known key beside it", "config.other_json") {
      $0.config = SceneConfig(otherJSON: #"{"rotation":1}"#)
    },
    .create("a known key's other spelling beside it", "config.other_json") {
      $0.config = SceneConfig(otherJSON: #"{"smart_object_name":"a"}"#)
    },
    .create("U+0000 beside it", "config") {
      $0.config = SceneConfig(otherJSON: #"{"a":"\u0000"}"#)
    },
    .create("an empty collection", "recommended_collections[1]") {
      $0.recommendedCollections = ["a", ""]
    },
    .create("many collections", "recommended_collections") {
      $0.recommendedCollections = Array(repeating: "a", count: 33)
    },
  ]

  private static let otherCases: [Case] = [
    .update("no id", "template_id") { $0.templateID = "" },
    .update("an empty name", "name") { $0.name = "" },
    .update("an empty vendor's template", "dm_template_id") { $0.dmTemplateID = "" },
    .update("a path for a URL", "preview_url") { $0.previewURL = "a" },
    .update("no JSON", "config.other_json") { $0.config = SceneConfig(otherJSON: "x") },
    .update("an empty collection", "recommended_collections.names[0]") {
      $0.recommendedCollections = Collections(names: [""])
    },
    .list("no user's own", "user_id") {
      $0.userID = ""
      $0.ownOnly = true
    },
    .list("a negative page", "page_size") { $0.pageSize = -1 },
    .list("a made-up token", "page_token") { $0.pageToken = "nonsense" },
    .list("the token of another list", "page_token") { $0.pageToken = "MjAyNi81" },
    .list("a long collection", "collection") { $0.collection = text(65) },
    Case(name: "create: an unknown user", code: .notFound) { world in
      var request = world.create
      request.userID = UUID().wireText
      _ = try await world.stub.createSceneTemplate(request)
    },
    Case(name: "update: a scene of the system", code: .failedPrecondition) { world in
      var request = world.update
      request.templateID = world.system
      _ = try await world.stub.updateSceneTemplate(request)
    },
    Case(name: "delete: a scene of the system", code: .failedPrecondition) { world in
      _ = try await world.stub.deleteSceneTemplate(
        DeleteSceneTemplateRequest(userID: world.user.wireText, templateID: world.system))
    },
    Case(name: "update: a scene of another", code: .notFound) { world in
      var request = world.update
      request.userID = UUID().wireText
      _ = try await world.stub.updateSceneTemplate(request)
    },
    Case(name: "resolve: no key", code: .invalidArgument, field: "scene_key") { world in
      _ = try await world.stub.resolveScene(ResolveSceneRequest(userID: world.user.wireText))
    },
    Case(name: "resolve: an unknown key", code: .notFound) { world in
      _ = try await world.stub.resolveScene(
        ResolveSceneRequest(userID: world.user.wireText, sceneKey: "nowhere"))
    },
    Case(name: "get: an unknown one", code: .notFound) { world in
      _ = try await world.stub.getSceneTemplate(
        GetSceneTemplateRequest(templateID: UUID().wireText))
    },
  ]

  @Test func whatMakesNoSenseIsRefusedAndChangesNothing() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      try await database.withServer { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          let made = try await client.scenes.create(
            "own", for: user, name: "Own", dmTemplateID: "dm")
          let own = try #require(made.template.flatMap { UUID(uuidString: $0.templateID) })
          let system = try await client.scenes.resolve("bedroom", for: user).templateID
          let connection = Client(path: server.socket)
          let world = World(
            user: user, own: own, system: system, stub: SceneServiceClient(connection))
          let before = try await database.scenes()
          for test in Self.createCases + Self.otherCases {
            let error = await #expect(throws: RPCError.self, "\(test.name)") {
              try await test.call(world)
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

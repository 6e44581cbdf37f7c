import Foundation
import MockupClient
import TestSupport
import Testing

/// The `mockupctl` commands for scenes and for pins and impressions.
@Suite struct SceneCommandTests {
  private static func mockupctl(
    _ arguments: [String], input: String = "", at server: RunningServer
  ) async throws -> Program.Ending {
    try await Program.mockupctl.run(
      arguments, environment: ["MOCKUPD_SOCKET_PATH": server.socket], input: input)
  }

  private static func object(_ ending: Program.Ending) throws -> [String: Any] {
    try #require(
      JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any],
      "\(ending)")
  }

  @Test func `scenes are created, changed and deleted`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser().wireText
      typealias Step = (arguments: [String], code: Int32, answers: [String: String])
      let create = [
        "create", user, "bedroom", "dm_7", "--id", UUID().wireText, "--name", "Mine",
        "--size", "800x1000.5", "--position", "-1,2", "--smart-object", "frame",
        "--other-config", #"{"a":1.50}"#, "--collection", "growth, wholeness",
        "--description", "Words",
      ]
      let made = [
        "scene_key": "bedroom", "name": "Mine", "width": "800", "height": "1000.5", "x": "-1",
        "y": "2", "smart_object": "frame", "rotation": "<null>", "other_json": #"{"a":1.50}"#,
        "description": "Words", "is_active": "1", "is_system": "0",
      ]
      // `id` is the template id.
      func steps(_ id: String) -> [Step] {
        [
          (create, 0, made.merging(["template_id": id, "replayed": "1"]) { $1 }),
          (["resolve", user, "bedroom"], 0, ["template_id": id]),
          (["show", id, "--user", user], 0, ["template_id": id]),
          (["show", id], 3, [:]),
          (
            ["update", user, id, "--rotation", "90", "--description", "", "--no-active"], 0,
            [
              "rotation": "90", "smart_object": "frame", "width": "800", "name": "Mine",
              "other_json": #"{"a":1.50}"#, "description": "<null>", "is_active": "0",
            ]
          ),
          (
            ["resolve", user, "bedroom"], 0, ["dm_template_id": "dm_bedroom_001", "is_system": "1"]
          ),
          (["resolve", user, "nowhere"], 3, [:]),
          (["create", user, "Bed Room", "dm_7"], 64, [:]),
          (["create", user, "bedroom", "dm_8"], 1, [:]),
          (["delete", user, id], 0, ["deleted": "1"]),
          (["delete", user, id], 0, ["deleted": "0"]),
        ]
      }
      try await database.withServer { server in
        let first = try Self.object(
          try await Self.mockupctl(["scenes"] + create + ["--output", "json"], at: server))
        #expect(first["replayed"] as? Bool == false)
        #expect(first["recommended_collections"] as? [String] == ["growth", "wholeness"])
        let id = try #require(first["template_id"] as? String)
        for (arguments, code, answers) in steps(id) {
          let ending = try await Self.mockupctl(
            ["scenes"] + arguments + ["--output", "json"], at: server)
          #expect(ending.exitCode == code, "\(arguments) \(ending)")
          guard code == 0 else { continue }
          let object = try Self.object(ending)
          for (name, value) in answers {
            #expect(object[name].map { "\($0)" } == value, "\(arguments) \(name)")
          }
        }
        let list = try await Self.mockupctl(["scenes", "list", user], at: server)
        #expect(list.output.split(separator: "\n").count == 6)
        #expect(list.output.contains("dm_bedroom_001"))
      }
    }
  }

  @Test func `concurrent updates of different values of a scene are all kept`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser().wireText
      try await database.withServer { server in
        let made = try await Self.mockupctl(
          [
            "scenes", "create", user, "bedroom", "dm_7", "--scale", "2", "--other-config",
            #"{"a":1,"b":2}"#, "--output", "json",
          ], at: server)
        let id = try #require(try Self.object(made)["template_id"] as? String)
        let changes = [
          ["--rotation", "90"], ["--size", "8x9"], ["--position", "1,2"],
          ["--smart-object", "frame"], ["--other-config", #"{"b":3,"c":4}"#], ["--no-active"],
        ]
        try await withThrowingTaskGroup { group in
          for change in changes {
            group.addTask {
              let ending = try await Self.mockupctl(
                ["scenes", "update", user, id] + change, at: server)
              #expect(ending.exitCode == 0, "\(ending)")
            }
          }
          try await group.waitForAll()
        }
        let scene = try Self.object(
          try await Self.mockupctl(
            ["scenes", "show", id, "--user", user, "--output", "json"], at: server))
        #expect(scene["rotation"] as? Int == 90 && scene["scale"] as? Int == 2, "\(scene)")
        #expect(scene["smart_object"] as? String == "frame", "\(scene)")
        #expect(scene["is_active"] as? Bool == false)
        #expect(scene["other_json"] as? String == #"{"a":1,"b":3,"c":4}"#, "\(scene)")
        let numbers = ["width", "height", "x", "y"].map { scene[$0] as? Int }
        #expect(numbers == [8, 9, 1, 2], "\(scene)")
      }
    }
  }

  @Test func `pins and impressions are read from arguments and from standard input`() async throws {
    try await MigratedDatabase.with { database in
      let userID = try await database.makeUser()
      let user = userID.wireText
      let mockup = try await database.makeMockups(1, of: userID)[0].wireText
      try await database.withServer { server in
        let one = try await Self.mockupctl(
          ["performance", "record", user, mockup, "--pins", "2"], at: server)
        #expect(one.exitCode == 0 && one.errorLines.count == 1, "\(one)")

        // As CSV and as JSON lines, each in several batches and several calls.
        let values =
          ["\u{FEFF}pins,impressions,user_id,mockup_id\r", ""]
          + Array(repeating: #"1, 0,\#(user),"\#(mockup)"\#r"#, count: 16_002)
        let objects = Array(
          repeating: #"{"user_id":"\#(user)","mockup_id":"\#(mockup)","impressions":2}"#,
          count: 16_002)
        for lines in [values, objects] {
          let id = UUID().wireText
          for replayed in [0, 33] {
            let many = try await Self.mockupctl(
              ["performance", "record", "--id", id, "--output", "json"],
              input: lines.joined(separator: "\n"), at: server)
            #expect(many.exitCode == 0 && many.errors.isEmpty, "\(many)")
            let object = try Self.object(many)
            #expect(object["counted"] as? Int == 16_002)
            #expect(object["batches"] as? Int == 33)
            #expect(object["replayed_batches"] as? Int == replayed)
          }
        }

        // Ids that differ in one bit have no batches in common.
        for id in ["0", "2"].map({ "f47ac10b-58cc-4372-a567-0e02b2c3d47\($0)" }) {
          let near = try await Self.mockupctl(
            ["performance", "record", "--id", id, "--output", "json"],
            input: objects.prefix(1100).joined(separator: "\n"), at: server)
          let object = try Self.object(near)
          #expect(object["counted"] as? Int == 1100, "\(near)")
          #expect(object["replayed_batches"] as? Int == 0, "\(near)")
        }

        let none = try await Self.mockupctl(
          ["performance", "record", user, UUID().wireText, "--pins", "1"], at: server)
        #expect(none.exitCode == 1)
        #expect(none.errorLines.last == "mockupctl: the user has no such mockup", "\(none)")

        let header = "user_id,mockup_id,pins,impressions"
        let refused = try await Self.mockupctl(
          ["performance", "record"],
          input: "\(header)\n\(user),\(mockup),1,1\n\n\(user),\(UUID().wireText),1,1\n", at: server)
        #expect(refused.exitCode == 1)
        #expect(refused.errors.contains("line 4: the user has no such mockup"), "\(refused)")
        let wrong = try await Self.mockupctl(
          ["performance", "record"],
          input: #"{"user_id":"\#(user)","mockup_id":"\#(mockup)","pin":1}"#, at: server)
        #expect(wrong.exitCode == 64)
        #expect(wrong.errors.contains(#"line 1 of standard input: unknown field "pin""#))
        #expect(wrong.errors.contains("repeat with --id"))
      }
      #expect(
        try await database.texts("SELECT total_pins || ' ' || total_impressions FROM mockups")
          == ["16005 36405"])
    }
  }
}

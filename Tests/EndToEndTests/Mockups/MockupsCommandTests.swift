import Foundation
import MockupClient
import TestSupport
import Testing

/// The `mockupctl` commands that generate mockups and review them.
@Suite struct MockupsCommandTests {
  private static func run(
    _ arguments: [String], at server: RunningServer
  ) async throws -> Program.Ending {
    try await Program.mockupctl.run(
      arguments, environment: ["MOCKUPD_SOCKET_PATH": server.socket])
  }

  private static func json<Value>(
    _ arguments: [String], at server: RunningServer, code: Int32 = 0, as type: Value.Type
  ) async throws -> Value {
    let ending = try await run(arguments + ["--output", "json"], at: server)
    #expect(ending.exitCode == code, "\(arguments) \(ending)")
    return try #require(
      JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? Value, "\(arguments)")
  }

  @Test func `a mockup is generated, shown, approved, regenerated and deleted`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10).wireText
      let asset = UUID().wireText
      try await database.owner.run(
        "INSERT INTO assets (id, user_id) VALUES ('\(asset)', '\(user)')")
      try await database.withServer { server in
        let generate = [
          "generate", user, "--asset", asset, "--scene", "bedroom", "--scene", "nowhere",
          "--id", UUID().wireText, "--credits", "2",
        ]
        let results = try await Self.json(generate, at: server, code: 1, as: [[String: Any]].self)
        #expect(results.map { $0["success"] as? Bool } == [true, false])
        #expect(results.last?["error"] as? String == "there is no such scene")
        let id = try #require(results.first?["mockup_id"] as? String)

        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          let claimed = try #require(try await client.mockups.claim(worker: "w").first)
          var completion = MockupCompletion(fileURL: "https://files/1", fileKey: "1")
          completion.qualityScore = 0.5
          _ = try await client.mockups.complete(claimed, completion)
        }

        let listed = try await Self.json(
          ["mockups", "list", user, "--status", "completed", "--scene", "bedroom"], at: server,
          as: [[String: Any]].self)
        #expect(listed.map { $0["mockup_id"] as? String } == [id])
        let none = try await Self.run(["mockups", "list", user, "--status", "failed"], at: server)
        #expect(none.output == "none\n")

        let shown = try await Self.json(
          ["mockups", "show", user, id], at: server, as: [String: Any].self)
        #expect(shown["smart_object"] as? String == "artwork_frame")
        #expect(shown["credits_used"] as? Int == 2)
        #expect(shown["quality_score"] as? Double == 0.5)

        let steps: [(arguments: [String], code: Int32, answer: (String, String))] = [
          (["mockups", "approve", user, id], 0, ("status", "approved")),
          (["mockups", "reject", user, id, "--reason", "ugly"], 1, ("", "")),
          (["mockups", "regenerate", user, id, "--credits", "9"], 1, ("success", "0")),
          (["mockups", "regenerate", user, id], 0, ("status", "pending")),
          (["mockups", "delete", user, id], 0, ("released", "1")),
          (["mockups", "delete", user, id], 0, ("deleted", "0")),
          (["mockups", "show", user, id], 3, ("", "")),
        ]
        for (arguments, code, answer) in steps {
          let ending = try await Self.run(arguments + ["--output", "json"], at: server)
          #expect(ending.exitCode == code, "\(arguments) \(ending)")
          let object = try? JSONSerialization.jsonObject(with: Data(ending.output.utf8))
          let value = (object as? [String: Any])?[answer.0]
          let text = (value as? NSNumber)?.stringValue ?? value as? String ?? ""
          #expect(text == answer.1, "\(arguments) \(ending)")
        }
      }
      #expect(try await database.discrepancies().isEmpty)
    }
  }
}

import Foundation
import MockupClient
import TestSupport
import Testing

/// The `mockupctl` commands of workers: claim, heartbeat, complete and fail.
@Suite struct WorkerCommandTests {
  /// A server, and a user with an asset and some pending mockups of two credits each.
  private struct Fixture {
    let client: MockupClient
    let database: MigratedDatabase
    let server: RunningServer
    let userID: UUID
    let asset: UUID
    var user: String { userID.wireText }

    func mockupctl(_ arguments: [String]) async throws -> Program.Ending {
      try await Program.mockupctl.run(
        arguments, environment: ["MOCKUPD_SOCKET_PATH": server.socket])
    }

    /// Runs a command of `mockups`, and returns its JSON output.
    func json<Value>(_ arguments: [String], as type: Value.Type) async throws -> Value {
      let ending = try await mockupctl(["mockups"] + arguments + ["--output", "json"])
      #expect(ending.exitCode == 0, "\(arguments) \(ending)")
      #expect(ending.errors.isEmpty, "\(arguments) \(ending)")
      return try #require(
        JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? Value, "\(arguments)")
    }

    /// Expects that a command of `mockups` fails with one error line, and prints nothing.
    func expectError(_ arguments: [String], code: Int32, _ message: String) async throws {
      let ending = try await mockupctl(["mockups"] + arguments)
      #expect(ending.exitCode == code, "\(arguments) \(ending)")
      #expect(ending.output.isEmpty, "\(arguments) \(ending)")
      #expect(ending.errorLines == ["mockupctl: \(message)"], "\(arguments)")
    }

    /// Requests a mockup in the scene, and returns its id.
    func request(_ scene: String = "bedroom") async throws -> String {
      let response = try await client.mockups.generate(
        for: userID, assets: [asset], scenes: [scene], credits: 2)
      return try #require(response.results.first?.mockupID)
    }

    func claim(_ options: [String] = []) async throws -> [[String: Any]] {
      try await json(["claim", "--worker", "w"] + options, as: [[String: Any]].self)
    }

    /// Requests and claims a mockup, and returns its id.
    func claimedMockup() async throws -> String {
      let id = try await request()
      #expect(try await claim().map { $0["mockup_id"] as? String } == [id])
      return id
    }

    func secondsUntil(_ time: Any?) throws -> Double {
      let text = try #require(time as? String)
      return try Date(
        text, strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true)
      )
      .timeIntervalSinceNow
    }
  }

  private static func withFixture(_ body: (Fixture) async throws -> Void) async throws {
    try await ServedUser.with(annualBudget: 100) { client, user, database, server in
      let asset = UUID()
      try await database.owner.run(
        "INSERT INTO assets (id, user_id) VALUES ('\(asset)', '\(user)')")
      try await body(
        Fixture(client: client, database: database, server: server, userID: user, asset: asset))
    }
  }

  @Test func `a claim prints everything that a worker needs`() async throws {
    try await Self.withFixture { fixture in
      var ids: [String] = []
      for scene in ["bedroom", "home_office", "bedroom"] {
        ids.append(try await fixture.request(scene))
      }
      let claimed = try await fixture.claim(["--count", "2", "--lease", "1800"])
      #expect(claimed.map { $0["mockup_id"] as? String } == Array(ids[..<2]))
      let first = try #require(claimed.first)
      #expect(first["user_id"] as? String == fixture.user)
      #expect(first["attempt"] as? Int == 1)
      #expect(first["attempts_left"] as? Int == 2)
      #expect(first["credits"] as? Int == 2)
      #expect(first["asset_id"] as? String == fixture.asset.wireText)
      #expect(first["dm_template_id"] as? String == "dm_bedroom_001")
      #expect(first["dm_template_url"] is NSNull)
      #expect(first["scene"] as? String == "bedroom")
      #expect(first["smart_object"] as? String == "artwork_frame")
      #expect(first["width"] as? Int == 800)
      #expect(first["rotation"] is NSNull)
      #expect((1000...1800).contains(try fixture.secondsUntil(first["lease_expires_at"])))
      let leases = try await fixture.database.texts(
        "SELECT DISTINCT worker FROM mockupd.mockup_jobs WHERE state = 'leased'")
      #expect(leases == ["w"])

      let table = try await fixture.mockupctl(["mockups", "claim", "--worker", "w"])
      let lines = table.output.split(separator: "\n").map {
        $0.split(separator: " ").map(String.init)
      }
      #expect(
        lines.first == [
          "mockup_id", "user_id", "attempt", "attempts_left", "credits", "lease_expires_at",
          "asset_id", "dm_template_id", "scene",
        ])
      #expect(lines.count == 2, "\(table)")
      let row = try #require(lines.last)
      #expect(Array(row.prefix(5)) == [ids[2], fixture.user, "1", "2", "2"])
      #expect(Array(row.suffix(3)) == [fixture.asset.wireText, "dm_bedroom_001", "bedroom"])

      let none = try await fixture.mockupctl(["mockups", "claim", "--worker", "w"])
      #expect(none.exitCode == 0)
      #expect(none.output == "none\n")
      #expect(try await fixture.claim().isEmpty)
    }
  }

  @Test func `a claim waits for a mockup in addition to its timeout`() async throws {
    try await Self.withFixture { fixture in
      let start = ContinuousClock.now
      #expect(try await fixture.claim(["--wait", "6", "--timeout", "5"]).isEmpty)
      #expect(ContinuousClock.now - start >= .seconds(6))
      async let waiting = fixture.mockupctl(["mockups", "claim", "--worker", "w", "--wait", "60"])
      let id = try await fixture.request()
      let ending = try await waiting
      #expect(ending.output.contains("\n\(id)  "), "\(ending)")
    }
  }

  @Test func `a heartbeat renews the lease`() async throws {
    try await Self.withFixture { fixture in
      let id = try await fixture.claimedMockup()
      let renewed = try await fixture.json(
        ["heartbeat", fixture.user, id, "--attempt", "1", "--lease", "3000"],
        as: [String: Any].self)
      #expect(renewed["mockup_id"] as? String == id)
      #expect(renewed["attempt"] as? Int == 1)
      #expect((2000...3000).contains(try fixture.secondsUntil(renewed["lease_expires_at"])))
      let stored = try await fixture.database.numbers(
        "SELECT count(*) FROM mockupd.mockup_jobs WHERE lease_expires_at > now() + interval '2000'"
      )
      #expect(stored == [1])
    }
  }

  @Test func `a completion stores the picture and is charged once`() async throws {
    try await Self.withFixture { fixture in
      let id = try await fixture.claimedMockup()
      let complete = [
        "complete", fixture.user, id, "--attempt", "1", "--file-url", "https://files/1",
        "--file-key", "1.png", "--thumbnail-url", "https://files/1s", "--dm-render-id", "r1",
        "--dm-metadata-json", #"{"took": 3}"#, "--quality-score", "0.25",
      ]
      try await fixture.expectError(
        complete + ["--credits", "3"], code: 1,
        "the credits exceed those that the mockup's reservation holds")
      let charged = complete + ["--credits", "3", "--allow-overrun"]
      for isReplayed in [false, true] {
        let mockup = try await fixture.json(charged, as: [String: Any].self)
        let texts = [
          "mockup_id": id, "status": "completed", "file_url": "https://files/1",
          "file_key": "1.png", "thumbnail_url": "https://files/1s", "dm_render_id": "r1",
          "dm_metadata_json": #"{"took": 3}"#,
        ]
        for (name, text) in texts { #expect(mockup[name] as? String == text, "\(name)") }
        #expect(mockup["quality_score"] as? Double == 0.25)
        #expect(mockup["credits_used"] as? Int == 3)
        #expect(mockup["remaining_annual"] as? Int == 97)
        #expect(mockup["replayed"] as? Bool == isReplayed)
      }
      try await fixture.expectError(
        complete, code: 1, "the same id or attempt was already used with different credits")
      try await fixture.expectError(
        ["fail", fixture.user, id, "--attempt", "1", "--message", "m"], code: 1,
        "the mockup is COMPLETED and cannot become FAILED")
    }
  }

  @Test func `a completion without options charges the held credits`() async throws {
    try await Self.withFixture { fixture in
      let id = try await fixture.claimedMockup()
      let ending = try await fixture.mockupctl([
        "mockups", "complete", fixture.user, id, "--attempt", "1", "--file-url", "u",
        "--file-key", "k",
      ])
      #expect(ending.exitCode == 0, "\(ending)")
      let lines = ending.output.split(separator: "\n").map {
        $0.split(separator: " ").map(String.init)
      }
      for line in [
        ["status", "completed"], ["credits_used", "2"], ["quality_score", "-"],
        ["thumbnail_url", "-"], ["remaining_annual", "98"], ["replayed", "no"],
      ] {
        #expect(lines.contains(line), "\(line) \(ending)")
      }
    }
  }

  @Test func `a failed mockup releases its credits and keeps the message`() async throws {
    try await Self.withFixture { fixture in
      let id = try await fixture.claimedMockup()
      // The message begins like an option.
      let fail = ["fail", fixture.user, id, "--attempt", "1", "--message", "--no such template"]
      for isReplayed in [false, true] {
        let mockup = try await fixture.json(fail, as: [String: Any].self)
        #expect(mockup["status"] as? String == "failed")
        #expect(mockup["error_message"] as? String == "--no such template")
        #expect(mockup["remaining_annual"] as? Int == 100)
        #expect(mockup["replayed"] as? Bool == isReplayed)
      }
      try await fixture.expectError(
        fail + ["--may-be-charged"], code: 1,
        "the same id or attempt was already used with different may_be_charged")
      try await fixture.expectError(
        ["heartbeat", fixture.user, id, "--attempt", "1"], code: 1,
        "the mockup is FAILED and cannot become GENERATING")
    }
  }

  @Test func `a mockup that may be retried is claimed again`() async throws {
    try await Self.withFixture { fixture in
      let id = try await fixture.claimedMockup()
      let retried = try await fixture.json(
        ["fail", fixture.user, id, "--attempt", "1", "--message", "busy", "--may-retry"],
        as: [String: Any].self)
      #expect(retried["status"] as? String == "pending")
      #expect(retried["remaining_annual"] as? Int == 98)

      let again = try await fixture.claim()
      #expect(again.map { $0["mockup_id"] as? String } == [id])
      #expect(again.first?["attempt"] as? Int == 2)
      #expect(again.first?["attempts_left"] as? Int == 1)
      let failed = try await fixture.json(
        ["fail", fixture.user, id, "--attempt", "2", "--message", "broken", "--no-retry"],
        as: [String: Any].self)
      #expect(failed["status"] as? String == "failed")
      #expect(failed["remaining_annual"] as? Int == 100)
    }
  }

  @Test func `credits that may be charged stay held and are unresolved`() async throws {
    try await Self.withFixture { fixture in
      let id = try await fixture.claimedMockup()
      let failed = try await fixture.json(
        ["fail", fixture.user, id, "--attempt", "1", "--message", "m", "--may-be-charged"],
        as: [String: Any].self)
      #expect(failed["status"] as? String == "failed")
      #expect(failed["remaining_annual"] as? Int == 98)
      let unresolved = try await fixture.mockupctl([
        "reservations", "list", fixture.user, "--state", "unresolved",
      ])
      let reservation = try #require(failed["reservation_id"] as? String)
      #expect(unresolved.output.contains(reservation), "\(unresolved)")
    }
  }

  @Test func `a report after a lost lease is refused and changes nothing`() async throws {
    try await Self.withFixture { fixture in
      let id = try await fixture.claimedMockup()
      try await fixture.database.owner.run(
        "SELECT mockupd.expire_leases(now() + interval '1 h', 1)")
      let complete = ["complete", fixture.user, id, "--file-url", "u", "--file-key", "k"]
      try await fixture.expectError(
        complete + ["--attempt", "1"], code: 1,
        "the mockup is PENDING and cannot become COMPLETED")
      #expect(try await fixture.claim().first?["attempt"] as? Int == 2)
      for report in [
        ["heartbeat", fixture.user, id], complete, ["fail", fixture.user, id, "--message", "m"],
      ] {
        try await fixture.expectError(
          report + ["--attempt", "1"], code: 1,
          "the lease is lost: the mockup's current attempt is 2")
      }
      let shown = try await fixture.json(["show", fixture.user, id], as: [String: Any].self)
      #expect(shown["status"] as? String == "generating")
      let completed = try await fixture.json(
        complete + ["--attempt", "2"], as: [String: Any].self)
      #expect(completed["status"] as? String == "completed")
    }
  }

  @Test func `invalid values are refused by the server and change nothing`() async throws {
    try await Self.withFixture { fixture in
      let user = fixture.user
      let id = try await fixture.claimedMockup()
      let claim = ["claim", "--worker", "w"]
      let attempt = [user, id, "--attempt", "1"]
      let complete = ["complete"] + attempt + ["--file-url", "u", "--file-key", "k"]
      let nothing = UUID().wireText
      let refusals: [(arguments: [String], code: Int32, message: String)] = [
        (["claim", "--worker", ""], 64, "worker is missing"),
        (claim + ["--count", "101"], 64, "count 101 is not between 1 and 100"),
        (claim + ["--lease", "3601"], 64, "--lease 3601 is not between 1 and 3600"),
        (claim + ["--wait", "61"], 64, "--wait 61 is not between 0 and 60"),
        (
          ["heartbeat"] + attempt + ["--lease", "3601"], 64,
          "--lease 3601 is not between 1 and 3600"
        ),
        (
          ["complete"] + attempt + ["--file-url", "", "--file-key", "k"], 64,
          "--file-url is missing"
        ),
        (
          complete + ["--quality-score", "1.5"], 64, "--quality-score 1.5 is not between 0 and 1"
        ),
        (
          complete + ["--dm-metadata-json", "[]"], 64,
          "--dm-metadata-json is not a JSON object that can be stored"
        ),
        (
          ["fail", user, nothing, "--attempt", "1", "--message", "m"], 3,
          "the user has no mockup \(nothing)"
        ),
        (
          ["heartbeat", nothing, id, "--attempt", "1"], 3, "the user has no mockup \(id)"
        ),
      ]
      for (arguments, code, message) in refusals {
        try await fixture.expectError(arguments, code: code, message)
      }
      let shown = try await fixture.json(["show", user, id], as: [String: Any].self)
      #expect(shown["status"] as? String == "generating")
    }
  }

  private static let user = UUID().wireText
  private static let mockup = UUID().wireText
  private static let attempt = [user, mockup, "--attempt", "1"]

  @Test(arguments: [
    (["claim"], "'--worker <worker>'"),
    (["claim", "--worker", "w", "--count", "0"], "'--count <count>': it must be at least 1"),
    (["claim", "--worker", "w", "--lease", "0"], "'--lease <lease>': it must be at least 1"),
    (["claim", "--worker", "w", "--wait", "-1"], "'--wait <wait>': it must be at least 0"),
    (["heartbeat", user, mockup], "'--attempt <attempt>'"),
    (
      ["heartbeat", user, mockup, "--attempt", "0"], "'--attempt <attempt>': it must be at least 1"
    ),
    (["complete"] + attempt + ["--file-url", "u"], "'--file-key <file-key>'"),
    (
      ["complete"] + attempt + ["--file-url", "u", "--file-key", "k", "--allow-overrun"],
      "--allow-overrun needs --credits; without it, the held credits are charged"
    ),
    (["fail"] + attempt, "'--message <message>'"),
    (
      ["fail"] + attempt + ["--message", "m", "--may-retry", "--no-retry"],
      "'--no-retry' had already been set with flag '--may-retry'"
    ),
  ])
  func `invalid arguments are refused with the usage`(
    _ arguments: [String], _ error: String
  ) async throws {
    let ending = try await Program.mockupctl.run(["mockups"] + arguments)
    #expect(ending.exitCode == 64, "\(ending)")
    #expect(ending.output.isEmpty, "\(ending)")
    #expect(ending.errors.contains(error), "\(ending)")
    #expect(ending.errors.contains("Usage: mockupctl mockups \(arguments[0])"), "\(ending)")
  }
}

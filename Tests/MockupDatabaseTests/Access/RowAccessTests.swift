import FoundationEssentials
import Postgres
import Testing

/// The rows that each role can read and change.
@Suite struct RowAccessTests {
  private static let denied = "42501"

  @Test func `users read their own rows and services read all rows`() async throws {
    try await TwoUsers.with { users in
      let rows: [(table: String, ofUser: Int, ofAll: Int)] = [
        ("assets", 1, 2), ("quotes", 1, 2), ("user_settings", 1, 2), ("mockups", 2, 4),
        ("mockup_credit_usage", 1, 2), ("mockup_scene_templates", 1 + 5, 2 + 5),
      ]
      let tables = try await users.ledger.lines(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
          + "AND relkind IN ('r', 'p', 'v', 'm', 'f')")
      #expect(Set(tables) == Set(rows.map(\.table)))
      for (table, ofUser, ofAll) in rows {
        func read(by caller: Caller) async throws -> String {
          try await caller.answer("SELECT count(*) FROM \(table)", in: users.ledger.owner)
        }
        #expect(try await read(by: .user(users.user)) == "\(ofUser)", "\(table)")
        #expect(try await read(by: .userByLegacyClaim(users.other)) == "\(ofUser)", "\(table)")
        #expect(try await read(by: .service) == "\(ofAll)", "\(table)")
        #expect(try await read(by: .anonymous) == Self.denied, "\(table)")
        // A caller without a subject sees only the system templates.
        #expect(
          try await read(by: .withoutSubject) == (table == "mockup_scene_templates" ? "5" : "0"))
        guard table != "mockup_scene_templates" else { continue }
        #expect(
          try await Caller.user(users.user).lines(
            "SELECT DISTINCT user_id FROM \(table)", in: users.ledger.owner)
            == ["\(users.user)".lowercased()])
      }
    }
  }

  /// A statement, with its results for `$user` and for a service: changed rows or an SQLSTATE.
  typealias Change = (sql: String, user: String, service: String)

  private func check(_ changes: [Change]) async throws {
    try await TwoUsers.with { users in
      for change in changes {
        let sql = users.filled(change.sql)
        let callers: [(Caller, expected: Set<String>)] = [
          (.user(users.user), [change.user]),
          (.userByLegacyClaim(users.user), [change.user]),
          (.service, [change.service]),
          (.anonymous, [Self.denied]),
          // The caller changes nothing, with or without an error.
          (.withoutSubject, ["0", Self.denied, "23503"]),
        ]
        for (caller, expected) in callers {
          let answer = try await caller.change(sql, in: users.ledger.owner)
          #expect(expected.contains(answer), "\(caller): \(change.sql): \(answer)")
        }
      }
    }
  }

  private static func mockup(_ columns: String, _ values: String) -> String {
    "INSERT INTO mockups (\(columns)) VALUES (\(values))"
  }

  @Test func `users insert pending mockups of their own`() async throws {
    let columns = "user_id, asset_id, scene"
    let own = "'$user', '$user', 'bedroom'"
    try await check([
      (Self.mockup(columns, own), "1", "1"),
      (Self.mockup("\(columns), scene_config", "\(own), '{\"scale\": 2}'"), "1", "1"),
      (Self.mockup("\(columns), quote_id", "\(own), '$user'"), "1", "1"),
      (Self.mockup("\(columns), status", "\(own), 'pending'"), "1", "1"),
      (Self.mockup("\(columns), status", "\(own), 'generating'"), Self.denied, "1"),
      (Self.mockup("\(columns), status", "\(own), 'completed'"), Self.denied, "23514"),
      (Self.mockup(columns, "'$other', '$other', 'bedroom'"), Self.denied, "1"),
      (Self.mockup("\(columns), file_url", "\(own), 'url'"), Self.denied, "1"),
      (Self.mockup("\(columns), credits_used", "\(own), 0"), Self.denied, "1"),
      (Self.mockup("\(columns), quality_score", "\(own), 1"), Self.denied, "1"),
      (Self.mockup("\(columns), total_pins", "\(own), 1"), Self.denied, "1"),
      (Self.mockup("\(columns), created_at", "\(own), now()"), Self.denied, "1"),
    ])
  }

  /// Different errors would reveal the ids and the assets of another user.
  @Test func `the result of an insert does not depend on rows of another user`() async throws {
    let columns = "user_id, asset_id, scene"
    let template =
      "INSERT INTO mockup_scene_templates (id, scene_key, user_id, name, dm_template_id)"
    try await check(
      ["$other", "$user", "$unknown"].map { asset in
        (
          Self.mockup(columns, "'$other', '\(asset)', 'bedroom'"), Self.denied,
          asset == "$other" ? "1" : "23503"
        )
      }
        + ["$other", "$unknown"].flatMap { id in
          [
            (
              Self.mockup("id, \(columns)", "'\(id)', '$user', '$user', 'bedroom'"), Self.denied,
              "1"
            ),
            ("\(template) VALUES ('\(id)', 'loft', '$user', 'Loft', 'dm_1')", Self.denied, "1"),
          ]
        }
        + ["$other", "$unknown"].map { asset in
          (Self.mockup(columns, "'$user', '\(asset)', 'bedroom'"), "23503", "23503")
        })
  }

  @Test func `users review their completed mockups and delete their mockups`() async throws {
    func update(_ status: String, of user: String, from state: String) -> String {
      "UPDATE mockups SET status = '\(status)' WHERE user_id = '\(user)' AND status = '\(state)'"
    }
    try await check([
      (update("approved", of: "$user", from: "completed"), "1", "1"),
      (update("rejected", of: "$user", from: "completed"), "1", "1"),
      (update("approved", of: "$user", from: "pending"), "23514", "23514"),
      (update("rejected", of: "$user", from: "pending"), "23514", "23514"),
      (update("approved", of: "$other", from: "completed"), "0", "1"),
      // A regeneration costs credits, so only a service may start one.
      (update("pending", of: "$user", from: "completed"), Self.denied, "1"),
      (update("generating", of: "$user", from: "pending"), Self.denied, "1"),
      (update("failed", of: "$user", from: "pending"), Self.denied, "1"),
      ("DELETE FROM mockups WHERE user_id = '$user'", "2", "2"),
      ("DELETE FROM mockups WHERE user_id = '$other'", "0", "2"),
      ("TRUNCATE mockups CASCADE", Self.denied, Self.denied),
    ])
  }

  @Test func `users change no column of a mockup except its status`() async throws {
    let columns = [
      ("user_id", "user_id"), ("asset_id", "asset_id"), ("quote_id", "NULL"), ("scene", "''"),
      ("scene_config", "'{}'"), ("file_url", "'url'"), ("file_key", "'key'"),
      ("thumbnail_url", "'url'"), ("dm_render_id", "''"), ("dm_metadata", "'{}'"),
      ("credits_used", "0"), ("quality_score", "1"), ("error_message", "''"), ("total_pins", "1"),
      ("total_impressions", "1"), ("created_at", "now()"), ("updated_at", "now()"),
    ]
    try await check(
      columns.map { column, value in
        ("UPDATE mockups SET \(column) = \(value) WHERE user_id = '$user'", Self.denied, "2")
      })
  }

  @Test func `no role writes the ledger directly`() async throws {
    let entry = "(user_id, credits, operation, balance_before, balance_after, sequence)"
    try await check([
      (
        "INSERT INTO mockup_credit_usage \(entry) VALUES ('$user', 1, 'refund', 0, 1, 9)",
        Self.denied, Self.denied
      ),
      ("UPDATE mockup_credit_usage SET credits = 1", Self.denied, Self.denied),
      ("DELETE FROM mockup_credit_usage", Self.denied, Self.denied),
      ("TRUNCATE mockup_credit_usage", Self.denied, Self.denied),
    ])
  }

  private static func template(_ columns: String, _ values: String) -> String {
    "INSERT INTO mockup_scene_templates (name, dm_template_id, scene_key, \(columns)) "
      + "VALUES ('Loft', 'dm_2', \(values))"
  }

  private static func update(_ assignment: String, where condition: String) -> String {
    "UPDATE mockup_scene_templates SET \(assignment) WHERE \(condition)"
  }

  @Test func `users write their own templates and no role writes system templates`() async throws {
    let own = "user_id = '$user'"
    try await check([
      (Self.template("user_id", "'loft', '$user'"), "1", "1"),
      (Self.template("user_id, is_system", "'loft', '$user', false"), "1", "1"),
      (Self.template("user_id", "'attic', '$user'"), "23505", "23505"),
      (Self.template("user_id", "'bedroom', '$user'"), "1", "1"),
      (Self.template("user_id", "'loft', '$other'"), Self.denied, "1"),
      (Self.template("user_id, is_system", "'loft', '$user', true"), Self.denied, Self.denied),
      (Self.template("is_system", "'loft', true"), Self.denied, Self.denied),
      (Self.template("user_id, created_at", "'loft', '$user', now()"), Self.denied, "1"),
      (Self.update("name = 'Loft', is_active = false", where: own), "1", "1"),
      (Self.update("name = 'Loft'", where: "user_id = '$other'"), "0", "1"),
      (Self.update("name = 'Loft'", where: "is_system"), "0", Self.denied),
      (Self.update("user_id = '$other', scene_key = 'loft'", where: own), Self.denied, "1"),
      (Self.update("is_system = true, user_id = NULL", where: own), Self.denied, Self.denied),
      (
        Self.update("is_system = false, user_id = '$user'", where: "scene_key = 'bedroom'"),
        Self.denied, Self.denied
      ),
      (Self.update("updated_at = now()", where: own), Self.denied, "1"),
      ("DELETE FROM mockup_scene_templates WHERE \(own)", "1", "1"),
      ("DELETE FROM mockup_scene_templates WHERE user_id = '$other'", "0", "1"),
      ("DELETE FROM mockup_scene_templates WHERE is_system", "0", Self.denied),
      ("TRUNCATE mockup_scene_templates", Self.denied, Self.denied),
    ])
  }

  @Test(arguments: ["assets", "quotes"])
  func `users can only read the tables of other parts of the product`(table: String) async throws {
    try await check([
      ("INSERT INTO \(table) (user_id) VALUES ('$user')", Self.denied, "1"),
      ("UPDATE \(table) SET created_at = now() WHERE user_id = '$user'", Self.denied, "1"),
      ("DELETE FROM \(table) WHERE user_id = '$user'", Self.denied, "1"),
    ])
  }

  @Test func `users cannot set their own budget`() async throws {
    let budget = #"'{"annual_mockup_budget": 1000000}'"#
    try await check([
      (
        "UPDATE user_settings SET guardrails = \(budget) WHERE user_id = '$user'", Self.denied, "1"
      ),
      ("DELETE FROM user_settings WHERE user_id = '$user'", Self.denied, "1"),
      (
        "INSERT INTO user_settings (user_id, guardrails) VALUES ('$user', \(budget))",
        Self.denied, "23505"
      ),
    ])
  }

  @Test func `deleting a mockup keeps its ledger entries`() async throws {
    try await TwoUsers.with { users in
      let ledger = users.ledger
      let mockup = try await ledger.mockup(of: users.user)
      try await ledger.spend(7, for: users.user, mockup: mockup)
      let entries = "SELECT count(*) FROM mockup_credit_usage WHERE credits = 7 AND mockup_id"
      #expect(try await ledger.lines("\(entries) = '\(mockup)'") == ["1"])
      _ = try await Caller.user(users.user).answer(
        "SELECT 1", after: "DELETE FROM mockups WHERE id = '\(mockup)'", in: ledger.owner)
      #expect(try await ledger.lines("\(entries) IS NULL") == ["1"])
    }
  }
}

import FoundationEssentials
import MockupDatabase
import Postgres
import TestSupport
import Testing

/// Each defect occurs in the initial schema, and not in the migrated schema.
@Suite struct DefectTests {
  private let user = UUID()
  private let other = UUID()

  private func filled(_ sql: String) -> String {
    sql.replacing("$user", with: "\(user)").replacing("$other", with: "\(other)")
  }

  /// Runs a closure with data in the initial schema, and again after the migrations.
  private func withBothSchemas<Answer>(
    data: String = "", _ body: (Pool) async throws -> Answer
  ) async throws -> (initial: Answer, migrated: Answer) {
    let data = """
      INSERT INTO auth.users (id) VALUES ('$user'), ('$other');
      INSERT INTO user_settings (user_id) VALUES ('$user');
      INSERT INTO assets (id, user_id) VALUES ('$user', '$user'), ('$other', '$other');
      INSERT INTO mockups (user_id, asset_id, scene, file_url, file_key)
      VALUES ('$user', '$user', 'bedroom', 'url', 'key');
      \(data)
      """
    func answer(migrating: Bool) async throws -> Answer {
      try await InitialDatabase.with { initial in
        try await initial.database.withOwner { pool in
          try await pool.withTransaction { transaction throws(PostgresError) in
            try await transaction.runScript(filled(data))
          }
          if migrating { try await initial.migrate() }
          return try await body(pool)
        }
      }
    }
    return (try await answer(migrating: false), try await answer(migrating: true))
  }

  private func answer(to step: Defect.Step, in pool: Pool) async throws -> String {
    switch step {
    case .user(let sql):
      return try await Caller.user(user).answer(filled(sql), in: pool)
    case .userAfter(let preparation, let sql):
      return try await Caller.user(user).answer(filled(sql), after: filled(preparation), in: pool)
    case .change(let sql):
      return try await Caller.user(user).change(filled(sql), in: pool)
    case .anonymous(let sql):
      return try await Caller.anonymous.answer(filled(sql), in: pool)
    case .serviceChange(let sql):
      return try await Caller.service.change(filled(sql), in: pool)
    case .owner(let sql):
      do {
        return "\(try await pool.execute(Statement(filled(sql))))"
      } catch {
        return error.sqlState?.code ?? "\(error)"
      }
    }
  }

  @Test(arguments: Defect.all)
  func `a defect of the initial schema is absent from the migrated schema`(_ defect: Defect)
    async throws
  {
    let answers = try await withBothSchemas(data: defect.data) { pool in
      var answers: [String] = []
      for step in defect.steps { answers.append(try await answer(to: step, in: pool)) }
      return answers.joined(separator: ", ")
    }
    #expect(answers.initial == defect.initial)
    #expect(answers.migrated == defect.migrated)
  }

  @Test func `sixteen concurrent reservations do not exceed the budget`() async throws {
    let user = user
    let admitted = try await withBothSchemas { pool in
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for _ in 0..<16 {
          group.addTask {
            let answer = try await Caller.user(user).answer(
              "SELECT success FROM reserve_mockup_credits('\(user)', 300)", in: pool)
            return answer == "true"
          }
        }
        return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
    }
    #expect(admitted.initial == 16)
    #expect(admitted.migrated == 11)
  }

  @Test func `the default year and month do not depend on the session time zone`() async throws {
    let defaults = """
      SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef
      JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
      WHERE adrelid = 'public.mockup_credit_usage'::regclass AND attname IN ('year', 'month')
      UNION ALL
      SELECT substring(pg_get_function_arguments(oid) FROM 'p_year integer DEFAULT (.*), p_month')
      FROM pg_proc WHERE proname = 'get_credit_usage'
      """
    let answers = try await withBothSchemas { pool in
      let now = "'2026-01-01 03:00:00+00'::timestamptz"
      let expressions = try await pool.lines(defaults).map { $0.replacing("now()", with: now) }
      return try await pool.withTransaction { transaction throws(PostgresError) in
        try await transaction.execute("SET LOCAL TIME ZONE 'America/New_York'")
        return try await transaction.lines(
          "SELECT unnest(ARRAY[\(expressions.joined(separator: ", "))])"
        ).sorted()
      }
    }
    #expect(answers.initial == ["12", "2025", "2025"])
    #expect(answers.migrated == ["1", "2026", "2026"])
  }
}

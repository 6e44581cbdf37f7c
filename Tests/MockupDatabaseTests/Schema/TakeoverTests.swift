import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

/// Migrations of a database that has data in the initial schema.
@Suite struct TakeoverTests {
  private func withTakeover(
    _ body: (NonconformingData, [String: [String]], MigratedDatabase, Pool) async throws -> Void
  ) async throws {
    try await InitialDatabase.with { initial in
      let data = NonconformingData()
      try await initial.database.withOwner { pool in
        try await pool.withTransaction { transaction throws(PostgresError) in
          try await transaction.runScript(data.sql)
        }
        let before = try await NonconformingData.rows(in: pool)
        try await initial.migrate()
        try await body(data, before, initial.database, pool)
      }
    }
  }

  @Test func `every row is kept unchanged`() async throws {
    try await withTakeover { _, before, _, pool in
      #expect(before.mapValues(\.count) == NonconformingData.counts)
      let after = try await NonconformingData.rows(in: pool)
      for (table, rows) in before { #expect(after[table] == rows, "\(table)") }
    }
  }

  @Test func `counters equal the sums of the rows`() async throws {
    try await withTakeover { data, _, database, pool in
      #expect(try await database.discrepancies() == [])
      let counters = try await pool.lines(
        """
        SELECT concat_ws(' ', CASE user_id WHEN '\(data.user)' THEN 'user' ELSE 'odd' END, year,
          generation, regeneration, refund, entries, held, month_used[1:2], month_used[5])
        FROM mockupd.credit_counters ORDER BY 1
        """)
      #expect(
        counters == [
          "odd -1 0 0 0 1 0 {0,0} 0",
          "odd 2025 4294967254 0 0 5 0 {-40,0} 2147483647",
          "user 2024 5 0 0 1 0 {0,0} 0",
          "user 2025 120 30 20 3 0 {150,-20} 0",
        ])
      let order = try await pool.lines(
        """
        SELECT string_agg(credits::text, ' ' ORDER BY sequence) FROM mockup_credit_usage
        WHERE user_id = '\(data.user)' AND year = 2025 GROUP BY created_at < '2025-02-01'
        ORDER BY min(sequence)
        """)
      #expect(order.last == "20")
    }
  }

  @Test func `every user can reserve credits after the migration`() async throws {
    try await withTakeover { data, _, database, pool in
      let store = CreditStore(pool: pool)
      for (user, budget, softLimit) in [
        (data.user, 500, 50), (data.odd, 3500, 12), (data.third, 3500, 292),
      ] as [(UUID, Int32, Int32)] {
        let request = try ReservationRequest(userID: user, id: UUID(), credits: 1)
        let outcome = try await store.reserve(request)
        #expect(outcome.admission.isAdmitted)
        let usage = try await store.usage(of: user)
        #expect(usage.annualBudget == budget)
        #expect(usage.monthlySoftLimit == softLimit)
      }
      #expect(try await database.discrepancies() == [])
      let answers = try await pool.lines(
        "SELECT concat_ws(' ', total_used, remaining_annual) FROM (VALUES ('\(data.user)'::uuid), "
          + "('\(data.odd)')) AS u (id), get_credit_usage(u.id, 2025)")
      #expect(answers == ["130 370", "2147483647 0"])
    }
  }

  /// A check that an existing row violates does not prevent changes of other columns.
  @Test func `existing rows that violate checks can be updated and deleted`() async throws {
    try await withTakeover { data, _, database, pool in
      let changes: [(sql: String, rows: Int)] = [
        ("UPDATE mockups SET total_pins = total_pins + 1 WHERE user_id = '\(data.odd)'", 4),
        ("UPDATE mockups SET status = 'approved' WHERE status = 'completed'", 3),
        ("UPDATE mockups SET status = 'pending' WHERE status = 'failed'", 2),
        ("DELETE FROM quotes", 1),
        ("UPDATE mockup_scene_templates SET name = 'New' WHERE user_id IS NOT NULL", 6),
        // The ledger entries lose their mockup.
        ("DELETE FROM mockups WHERE id = '\(data.odd)'", 1),
      ]
      for (sql, rows) in changes {
        #expect(try await pool.execute(Statement(sql)) == rows, "\(sql)")
      }
      let entries = try await pool.lines(
        "SELECT count(*) FROM mockup_credit_usage WHERE user_id = '\(data.odd)'")
      #expect(entries == ["6"])
      #expect(try await pool.execute("DELETE FROM auth.users") == 3)
      for table in ["mockups", "mockup_credit_usage", "mockupd.credit_counters"] {
        #expect(try await pool.lines("SELECT count(*) FROM \(table)") == ["0"], "\(table)")
      }
      #expect(try await database.discrepancies() == [])
    }
  }

  @Test func `new rows are checked`() async throws {
    try await withTakeover { data, _, _, pool in
      let mockup = "INSERT INTO mockups (user_id, asset_id, scene, status"
      let values = "VALUES ('\(data.user)', '\(data.user)', 'x'"
      let refused: [(sql: String, constraint: String)] = [
        ("\(mockup)) \(values), 'completed')", "mockups_files_when_completed"),
        ("\(mockup), quality_score) \(values), 'pending', 1.5)", "mockups_quality_score_range"),
        ("\(mockup), total_pins) \(values), 'pending', -1)", "mockups_total_pins_not_negative"),
        (
          "INSERT INTO mockup_scene_templates (user_id, scene_key, name, dm_template_id, "
            + "is_system) VALUES ('\(data.user)', 'x', 'x', 'x', true)",
          "mockup_scene_templates_system_has_no_user"
        ),
        (
          "INSERT INTO mockup_credit_usage (user_id, credits, operation, balance_before, "
            + "balance_after, sequence) VALUES ('\(data.user)', 1, 'gift', 0, 0, 9)",
          "mockup_credit_usage_operation_known"
        ),
      ]
      for (sql, constraint) in refused {
        let error = await #expect(throws: PostgresError.self) {
          try await pool.execute(Statement(sql))
        }
        #expect(error?.constraint == constraint, "\(sql)")
      }
    }
  }

  /// Existing templates with the same key stay unchanged; a further one cannot be added.
  @Test func `existing templates with one key are kept and no more can be added`() async throws {
    try await withTakeover { data, _, _, pool in
      let insert: Statement = """
        INSERT INTO mockup_scene_templates (user_id, scene_key, name, dm_template_id)
        VALUES ($1, 'attic', 'One more', 'dm_1')
        """
      for user in [data.user, data.odd] {
        let error = await #expect(throws: PostgresError.self) {
          try await pool.execute(insert, Parameters(user))
        }
        #expect(error?.constraint == "mockup_scene_templates_user_key")
      }
      // The template in use stays unique after the other one is deleted.
      let delete: Statement = "DELETE FROM mockup_scene_templates WHERE name = $1"
      let deleted = try await pool.execute(delete, Parameters("The second"))
      #expect(deleted == 1)
      let error = await #expect(throws: PostgresError.self) {
        try await pool.execute(insert, Parameters(data.user))
      }
      #expect(error?.sqlState == .uniqueViolation)
      #expect(try await pool.execute(delete, Parameters("The first")) == 1)
      #expect(try await pool.execute(insert, Parameters(data.user)) == 1)
    }
  }

  @Test func `the migration warns about rows that violate checks`() async throws {
    try await InitialDatabase.with { initial in
      try await initial.database.withOwner { pool in
        try await pool.withTransaction { transaction throws(PostgresError) in
          try await transaction.runScript(NonconformingData().sql)
        }
      }
      let (warnings, warning) = AsyncStream<String>.makeStream()
      try await initial.migrate { warning.yield($0) }
      warning.finish()
      let messages = await warnings.reduce(into: []) { $0.append($1) }
      for name in ["mockups_files_when_completed", "more than one template of a key"] {
        #expect(messages.contains { $0.contains(name) }, "\(name)")
      }
    }
  }
}

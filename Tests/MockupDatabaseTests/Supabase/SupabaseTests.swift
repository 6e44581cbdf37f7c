import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

/// The schema in a Supabase project, migrated by a login that is not a superuser.
@Suite struct SupabaseTests {
  private static let denied = "42501"

  /// A migrated project with two users, who have one row in each table.
  private struct Fixture {
    let project: SupabaseProject
    let user = UUID()
    let other = UUID()
    /// Connections of PostgREST's login.
    let api: Pool

    static func with(_ body: (Fixture) async throws -> Void) async throws {
      try await SupabaseProject.with { project in
        try await project.migrate()
        try await project.withLogin(SupabaseProject.authenticator) { api in
          let fixture = Fixture(project: project, api: api)
          try await fixture.makeUsers()
          try await body(fixture)
        }
        #expect(try await project.database.discrepancies() == [])
      }
    }

    private func makeUsers() async throws {
      for id in [user, other] {
        try await run("INSERT INTO auth.users (id) VALUES ('\(id)')", as: SupabaseProject.authAdmin)
        for sql in [
          "INSERT INTO assets (id, user_id) VALUES ('\(id)', '\(id)')",
          "INSERT INTO quotes (id, user_id) VALUES ('\(id)', '\(id)')",
          "INSERT INTO user_settings (user_id) VALUES ('\(id)')",
          """
          INSERT INTO mockups (id, user_id, asset_id, quote_id, scene, status, file_url, file_key)
          VALUES ('\(id)', '\(id)', '\(id)', '\(id)', 'bedroom', 'completed', 'url', 'key')
          """,
          """
          INSERT INTO mockup_scene_templates (id, user_id, scene_key, name, dm_template_id)
          VALUES ('\(id)', '\(id)', 'attic', 'Attic', 'dm_1')
          """,
        ] { try await run(sql, as: SupabaseProject.migrator) }
      }
      try await project.database.withPool { pool in
        let store = CreditStore(pool: pool)
        for id in [user, other] {
          let reservation = UUID()
          let request = try ReservationRequest(userID: id, id: reservation, credits: 5)
          _ = try await store.reserve(request)
          _ = try await store.settle(
            Settlement(
              userID: id, reservationID: reservation, action: .commit(id: UUID(), credits: 3)))
          _ = try await store.reserve(ReservationRequest(userID: id, id: UUID(), credits: 4))
        }
      }
    }

    func run(_ sql: String, as login: String) async throws {
      try await project.database.configuration(as: login).run(sql)
    }

    func filled(_ sql: String) -> String {
      sql.replacing("$user", with: "\(user)").replacing("$other", with: "\(other)")
    }
  }

  @Test func `the event trigger rejects a function named resolve`() async throws {
    try await SupabaseProject.with { project in
      try await project.withLogin(SupabaseProject.migrator) { pool in
        let error = await #expect(throws: PostgresError.self) {
          try await pool.execute(
            "CREATE FUNCTION public.resolve() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        }
        #expect(error?.sqlState?.code == Self.denied)
        let isSuperuser = try await pool.lines(
          "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        #expect(isSuperuser == ["false"])
      }
    }
  }

  @Test func `a login that is not a superuser migrates and owns the objects`() async throws {
    try await SupabaseProject.with { project in
      try await project.migrate()
      try await project.database.withOwner { pool in
        let owners = """
          SELECT DISTINCT rolname FROM pg_roles JOIN (
            SELECT relowner AS owner FROM pg_class
            WHERE relnamespace IN ('public'::regnamespace, 'mockupd'::regnamespace)
            UNION SELECT proowner FROM pg_proc
            WHERE pronamespace IN ('public'::regnamespace, 'mockupd'::regnamespace)
            UNION SELECT nspowner FROM pg_namespace WHERE nspname = 'mockupd'
          ) AS ours ON ours.owner = pg_roles.oid
          """
        let found = try await pool.lines(owners)
        #expect(found == [SupabaseProject.migrator])
        let users = try await pool.lines(
          "SELECT relowner::regrole FROM pg_class WHERE oid = 'auth.users'::regclass")
        #expect(users == [SupabaseProject.authAdmin])
      }
      // A second migration has nothing to do.
      try await project.migrate()
    }
  }

  /// A query, with its results for a user, a service and an anonymous client.
  typealias Query = (sql: String, user: String, service: String, anonymous: String)

  private static let queries: [Query] = [
    ("SELECT total_used FROM get_credit_usage('$user')", "3", "3", denied),
    ("SELECT total_used FROM get_credit_usage('$other')", denied, "3", denied),
    ("SELECT remaining FROM reserve_mockup_credits('$user', 3490)", "3", "3", denied),
    ("SELECT success FROM reserve_mockup_credits('$user', 3494)", "false", "false", denied),
    ("SELECT success FROM reserve_mockup_credits('$other', 1)", denied, "true", denied),
    ("SELECT count(*) FROM mockups", "1", "2", denied),
    ("SELECT count(*) FROM mockup_credit_usage", "1", "2", denied),
    ("SELECT count(*) FROM mockup_scene_templates", "6", "7", denied),
    ("SELECT count(*) FROM assets", "1", "2", denied),
    ("SELECT count(*) FROM user_settings", "1", "2", denied),
    ("SELECT count(*) FROM auth.users", denied, denied, denied),
    ("SELECT count(*) FROM mockupd.reservations", denied, denied, denied),
    ("SELECT count(*) FROM mockupd.schema_migrations", denied, denied, denied),
    ("SELECT mockupd.user_exists('$user')", denied, denied, denied),
    ("SELECT mockupd.guardrail('{}', 'a', 1)", denied, denied, denied),
  ]

  @Test func `each role reads and calls only permitted objects`() async throws {
    try await Fixture.with { fixture in
      for query in Self.queries {
        let sql = fixture.filled(query.sql)
        let callers: [(Caller, String)] = [
          (.user(fixture.user), query.user), (.service, query.service),
          (.anonymous, query.anonymous),
        ]
        for (caller, expected) in callers {
          let answer = try await rolledBack(sql, by: caller, in: fixture.api)
          #expect(answer == expected, "\(caller): \(query.sql)")
        }
      }
    }
  }

  /// Runs a query as a caller, rolls it back, and returns its result or an SQLSTATE.
  private func rolledBack(
    _ sql: String, by caller: Caller, in pool: Pool
  ) async throws -> String {
    do throws(PostgresError) {
      return try await pool.withTransaction { transaction throws(PostgresError) in
        try await caller.assumeRole(in: transaction)
        let lines = try await transaction.lines(sql)
        transaction.rollback()
        return lines.joined(separator: "\n")
      }
    } catch {
      return error.sqlState?.code ?? "\(error)"
    }
  }

  /// A statement, with its results for a user and a service: changed rows or an SQLSTATE.
  typealias Change = (sql: String, user: String, service: String)

  private static let changes: [Change] = [
    (
      "INSERT INTO mockups (user_id, asset_id, scene) VALUES ('$user', '$user', 'loft')", "1", "1"
    ),
    (
      "INSERT INTO mockups (user_id, asset_id, scene) VALUES ('$user', '$other', 'loft')",
      "23503", "23503"
    ),
    (
      "INSERT INTO mockups (user_id, asset_id, scene) VALUES ('$other', '$other', 'loft')",
      denied, "1"
    ),
    ("UPDATE mockups SET status = 'approved' WHERE user_id = '$user'", "1", "1"),
    ("UPDATE mockups SET status = 'approved' WHERE user_id = '$other'", "0", "1"),
    ("UPDATE mockups SET credits_used = 0 WHERE user_id = '$user'", denied, "1"),
    ("DELETE FROM mockups WHERE user_id = '$user'", "1", "1"),
    ("UPDATE mockup_scene_templates SET name = 'x' WHERE user_id = '$user'", "1", "1"),
    ("UPDATE mockup_scene_templates SET name = 'x' WHERE is_system", "0", denied),
    ("DELETE FROM mockup_credit_usage WHERE user_id = '$user'", denied, denied),
    ("UPDATE user_settings SET guardrails = '{}' WHERE user_id = '$user'", denied, "1"),
    ("DELETE FROM quotes WHERE user_id = '$user'", denied, "1"),
    ("TRUNCATE mockups CASCADE", denied, denied),
    ("CREATE TABLE public.mine (id int)", denied, denied),
    ("CREATE TABLE mockupd.mine (id int)", denied, denied),
  ]

  @Test func `each role changes only permitted rows`() async throws {
    try await Fixture.with { fixture in
      for change in Self.changes {
        let sql = fixture.filled(change.sql)
        let callers: [(Caller, String)] = [
          (.user(fixture.user), change.user), (.service, change.service), (.anonymous, Self.denied),
        ]
        for (caller, expected) in callers {
          let answer = try await caller.change(sql, in: fixture.api)
          #expect(answer == expected, "\(caller): \(change.sql)")
        }
      }
    }
  }

  /// PostgREST runs a GET in a read-only transaction.
  ///
  /// On a reused connection, the claims of the previous transaction remain as an empty text.
  @Test func `usage can be read in a read-only transaction`() async throws {
    try await Fixture.with { fixture in
      let usage = "SELECT remaining_annual FROM get_credit_usage('\(fixture.user)')"
      let caller = Caller.user(fixture.user)
      let answer = try await fixture.api.withTransaction { transaction throws(PostgresError) in
        try await transaction.execute("SET TRANSACTION READ ONLY")
        try await caller.assumeRole(in: transaction)
        return try await transaction.lines(usage)
      }
      #expect(answer == ["3493"])
      let empty = try await caller.answer(
        usage, after: "SELECT set_config('request.jwt.claims', '', true)", in: fixture.api)
      #expect(empty == Self.denied)
    }
  }

  @Test func `deleting a user deletes all data of the user`() async throws {
    try await Fixture.with { fixture in
      func rows(of user: UUID) async throws -> [String] {
        try await fixture.project.database.withOwner { pool in
          let tables = try await pool.lines(
            """
            SELECT attrelid::regclass FROM pg_attribute
            JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r'
            WHERE attname = 'user_id' AND NOT attisdropped
              AND relnamespace IN ('public'::regnamespace, 'mockupd'::regnamespace)
            ORDER BY 1
            """)
          var found: [String] = []
          for table in tables {
            let count = try await pool.lines(
              "SELECT count(*) FROM \(table) WHERE user_id = '\(user)'")
            if count != ["0"] { found.append(table) }
          }
          return found
        }
      }
      let before = try await rows(of: fixture.other)
      #expect(before.count >= 9, "\(before)")
      #expect(try await rows(of: fixture.user) == before)
      try await fixture.run(
        "DELETE FROM auth.users WHERE id = '\(fixture.user)'", as: SupabaseProject.authAdmin)
      #expect(try await rows(of: fixture.user) == [])
      #expect(try await rows(of: fixture.other) == before)
    }
  }

  /// The default privileges of a project include TRIGGER, so the migrations must revoke it.
  @Test func `no role has the TRIGGER privilege on a table`() async throws {
    try await SupabaseProject.with { project in
      // Another part of the product has created this table.
      try await project.withLogin(SupabaseProject.migrator) { pool in
        _ = try await pool.execute(
          """
          CREATE TABLE public.user_settings (
            user_id uuid PRIMARY KEY REFERENCES auth.users (id), guardrails jsonb)
          """)
      }
      try await project.migrate()
      for role in ["anon", "authenticated", "service_role"] {
        let answer = try await project.database.withOwner { pool in
          try await pool.lines(
            """
            SELECT count(*) FROM pg_class
            WHERE relkind = 'r' AND relname IN ('user_settings', 'mockups', 'mockup_credit_usage',
              'mockup_scene_templates') AND has_table_privilege('\(role)', oid, 'TRIGGER')
            """)
        }
        #expect(answer == ["0"], "\(role)")
      }
    }
  }
}

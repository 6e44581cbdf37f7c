import FoundationEssentials
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

@Suite struct PermissionTests {
  private static let denied = "42501"

  @Test func `only the user and services may query a user`() async throws {
    try await LedgerFixture.with { ledger in
      let (user, other) = (try await ledger.user(budget: 10), try await ledger.user(budget: 10))
      let usage = "SELECT annual_budget FROM get_credit_usage('\(user)')"
      let reserve = "SELECT success FROM reserve_mockup_credits('\(user)', 1)"
      let table: [(Caller, usage: String, reserve: String)] = [
        (.user(user), "10", "true"),
        (.userByLegacyClaim(user), "10", "true"),
        (.service, "10", "true"),
        (.user(other), Self.denied, Self.denied),
        (.userByLegacyClaim(other), Self.denied, Self.denied),
        (.withoutSubject, Self.denied, Self.denied),
        (.anonymous, Self.denied, Self.denied),
      ]
      for (caller, expectedUsage, expectedReserve) in table {
        #expect(try await caller.answer(usage, in: ledger.owner) == expectedUsage, "\(caller)")
        #expect(try await caller.answer(reserve, in: ledger.owner) == expectedReserve, "\(caller)")
      }
      #expect(try await ledger.lines("SELECT count(*) FROM mockupd.reservations") == ["3"])
    }
  }

  @Test func `a null user id is denied`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user()
      for caller in [Caller.withoutSubject, .user(user), .anonymous] {
        #expect(
          try await caller.answer("SELECT count(*) FROM get_credit_usage(NULL)", in: ledger.owner)
            == Self.denied)
        #expect(
          try await caller.answer(
            "SELECT success FROM reserve_mockup_credits(NULL, 1)", in: ledger.owner) == Self.denied)
      }
    }
  }

  @Test func `a claim forged in the session gives the anonymous role no access`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let answer = try await Caller.anonymous.answer(
        "SELECT annual_budget FROM get_credit_usage('\(user)')",
        after: "SELECT set_config('request.jwt.claim.sub', '\(user)', true)", in: ledger.owner)
      #expect(answer == Self.denied)
    }
  }

  @Test func `a temporary table does not raise the budget`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      let table = """
        CREATE TEMPORARY TABLE user_settings ON COMMIT DROP AS
        SELECT '\(user)'::uuid AS user_id, '{"annual_mockup_budget": 1000000}'::jsonb AS guardrails
        """
      #expect(
        try await Caller.user(user).answer(
          "SELECT annual_budget FROM get_credit_usage('\(user)')", after: table, in: ledger.owner)
          == "10")
      #expect(
        try await Caller.user(user).answer(
          "SELECT message FROM reserve_mockup_credits('\(user)', 11)", after: table,
          in: ledger.owner) == "Insufficient credits. 10 remaining.")
    }
  }

  @Test func `the login of the server may call the public functions`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      try await ledger.database.withPool { pool in
        let usage = try await pool.lines("SELECT annual_budget FROM get_credit_usage('\(user)')")
        #expect(usage == ["10"])
        let answer = try await pool.lines(
          "SELECT message FROM reserve_mockup_credits('\(user)', 1)")
        #expect(answer == ["Credits reserved successfully."])
        let wrong = try await pool.lines("SELECT discrepancy FROM mockupd.verify_counters()")
        #expect(wrong.isEmpty)
      }
    }
  }

  private static let writes = [
    "INSERT INTO mockup_credit_usage SELECT * FROM mockup_credit_usage",
    "INSERT INTO mockup_credit_usage (user_id, credits, operation, balance_before, balance_after) "
      + "VALUES (auth.uid(), 1, 'refund', 0, 1)",
    "UPDATE mockup_credit_usage SET credits = 1",
    "DELETE FROM mockup_credit_usage",
    "TRUNCATE mockup_credit_usage",
    "INSERT INTO mockupd.credit_counters SELECT * FROM mockupd.credit_counters",
    "UPDATE mockupd.credit_counters SET held = 0",
    "DELETE FROM mockupd.credit_counters",
    "TRUNCATE mockupd.credit_counters",
    "INSERT INTO mockupd.reservations SELECT * FROM mockupd.reservations",
    "UPDATE mockupd.reservations SET state = 'released', held = 0",
    "DELETE FROM mockupd.reservations",
    "TRUNCATE mockupd.reservations",
    "UPDATE mockupd.schema_migrations SET checksum = ''",
  ]

  @Test func `only the functions of the engine write the ledger`() async throws {
    try await LedgerFixture.with { ledger in
      let user = try await ledger.user(budget: 10)
      try await ledger.spend(3, for: user)
      try await ledger.database.withPool { pool in
        for write in Self.writes {
          let error = await #expect(throws: PostgresError.self) {
            try await pool.execute(Statement(write))
          }
          #expect(error?.sqlState?.code == Self.denied, "\(write)")
        }
      }
      for caller in [Caller.anonymous, .user(user), .service] {
        for write in Self.writes {
          let answer = try await caller.answer("SELECT 1", after: write, in: ledger.owner)
          #expect(answer == Self.denied, "\(caller): \(write)")
        }
      }
    }
  }

  @Test(arguments: [
    "SELECT * FROM mockupd.reserve(now(), '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
    "SELECT * FROM mockupd.settle(now(), '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
    "SELECT * FROM mockupd.release_group(now(), gen_random_uuid(), gen_random_uuid())",
    "SELECT * FROM mockupd.refund(now(), '{}', '{}', '{}', '{}', '{}')",
    "SELECT * FROM mockupd.usage_at(now(), gen_random_uuid(), 2026, 5)",
    "SELECT * FROM mockupd.verify_counters()",
    "SELECT mockupd.user_exists(gen_random_uuid())",
    "SELECT count(*) FROM mockupd.reservations",
  ])
  func `only the login of the server may call internal functions`(sql: String) async throws {
    try await LedgerFixture.with { ledger in
      for caller in [Caller.anonymous, .user(UUID()), .service] {
        #expect(
          try await caller.answer("SELECT 1", after: sql, in: ledger.owner) == Self.denied,
          "\(caller)")
      }
      try await ledger.database.withPool { pool in _ = try await pool.execute(Statement(sql)) }
    }
  }

  @Test func `users see only their own ledger entries`() async throws {
    try await LedgerFixture.with { ledger in
      let (user, other) = (try await ledger.user(), try await ledger.user())
      try await ledger.spend(3, for: user)
      try await ledger.spend(4, for: other)
      let credits = "SELECT credits FROM mockup_credit_usage ORDER BY 1"
      #expect(try await Caller.user(user).lines(credits, in: ledger.owner) == ["3"])
      #expect(try await Caller.user(other).lines(credits, in: ledger.owner) == ["4"])
      #expect(try await Caller.withoutSubject.lines(credits, in: ledger.owner).isEmpty)
      #expect(try await Caller.anonymous.answer(credits, in: ledger.owner) == Self.denied)
      #expect(try await Caller.service.lines(credits, in: ledger.owner) == ["3", "4"])
    }
  }

  @Test func `the login of the server is not a superuser and owns nothing`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withPool { pool in
        let roles = """
          SELECT rolname FROM pg_roles
          WHERE pg_has_role(session_user, oid, 'MEMBER') ORDER BY 1
          """
        let memberships = try await pool.lines(roles)
        #expect(memberships == ["mockupd_service", "mockupd_test"])
        let powers = try await pool.lines(
          """
          SELECT rolname FROM pg_roles WHERE rolname IN ('mockupd_service', 'mockupd_test')
            AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
          """)
        #expect(powers.isEmpty)
        let owned = try await pool.lines(
          """
          SELECT relname FROM pg_class WHERE pg_has_role(session_user, relowner, 'MEMBER')
          UNION ALL
          SELECT proname FROM pg_proc WHERE pg_has_role(session_user, proowner, 'MEMBER')
          UNION ALL
          SELECT nspname FROM pg_namespace WHERE pg_has_role(session_user, nspowner, 'MEMBER')
            OR (nspname IN ('public', 'auth', 'mockupd')
              AND has_schema_privilege(session_user, oid, 'CREATE'))
          UNION ALL
          SELECT datname FROM pg_database WHERE pg_has_role(session_user, datdba, 'MEMBER')
          """)
        #expect(owned.isEmpty)
      }
    }
  }
}

import FoundationEssentials
import MockupSchema
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

@Suite struct MigrationTests {
  private func migrate(_ database: MigratedDatabase) async throws -> [Int] {
    let migrator = try Schema.migrator(configuration: database.owner)
    return try await migrator.migrate().versioned.map(\.version)
  }

  /// Returns a description of the database's objects, from the system catalogs.
  private func shape(of pool: Pool) async throws -> [String] {
    try await pool.lines(
      """
      SELECT concat_ws(' ', 'relation', oid, oid::regclass, relkind, relacl::text, relrowsecurity)
      FROM pg_class WHERE relnamespace::regnamespace::text IN ('public', 'auth', 'mockupd')
      UNION ALL
      SELECT concat_ws(' ', 'column', attrelid::regclass, attname, format_type(atttypid, atttypmod),
        attnotnull, pg_get_expr(adbin, adrelid))
      FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
      WHERE attrelid IN (SELECT oid FROM pg_class
        WHERE relnamespace::regnamespace::text IN ('public', 'auth', 'mockupd'))
      UNION ALL
      SELECT concat_ws(' ', 'constraint', oid, conname, convalidated) FROM pg_constraint
      UNION ALL
      SELECT concat_ws(' ', 'policy', policyname, tablename, roles::text, qual, with_check)
      FROM pg_policies
      UNION ALL
      SELECT concat_ws(' ', 'function', oid::regprocedure, md5(prosrc), proacl::text) FROM pg_proc
      WHERE pronamespace::regnamespace::text IN ('public', 'auth', 'mockupd')
      UNION ALL
      SELECT concat_ws(' ', 'default', defaclrole::regrole, defaclobjtype, defaclacl::text)
      FROM pg_default_acl
      UNION ALL
      SELECT concat_ws(' ', 'record', version, checksum, applied_at) FROM mockupd.schema_migrations
      UNION ALL
      SELECT concat_ws(' ', 'record', name, checksum, revision, applied_at)
      FROM mockupd.repeatable_migrations
      ORDER BY 1
      """)
  }

  @Test func `an empty database is migrated to the latest version`() async throws {
    try await MigratedDatabase.withoutSchema { database in
      #expect(try await migrate(database) == Schema.migrations.map(\.version))
      let user = try await database.makeUser(annualBudget: 10)
      try await database.withPool { pool in
        let store = CreditStore(pool: pool)
        let outcome = try await store.reserve(
          ReservationRequest(userID: user, id: UUID(), credits: 3))
        #expect(outcome.admission.remaining == 7)
      }
    }
  }

  @Test func `migrating twice changes nothing`() async throws {
    try await MigratedDatabase.withoutSchema { database in
      _ = try await migrate(database)
      try await database.withOwner { pool in
        let before = try await shape(of: pool)
        #expect(try await migrate(database).isEmpty)
        let after = try await shape(of: pool)
        #expect(after == before)
      }
    }
  }

  @Test func `existing roles stay unchanged`() async throws {
    // Roles are shared by all databases, and the test template has already created them.
    try await MigratedDatabase.withoutSchema { database in
      try await database.withOwner { pool in
        let roles = """
          SELECT pg_roles::text FROM pg_roles
          WHERE rolname IN ('anon', 'authenticated', 'service_role', 'mockupd_service') ORDER BY 1
          """
        let before = try await pool.lines(roles)
        #expect(before.count == 4)
        _ = try await migrate(database)
        let after = try await pool.lines(roles)
        #expect(after == before)
      }
    }
  }

  @Test func `existing objects of Supabase stay unchanged`() async throws {
    try await MigratedDatabase.withoutSchema { database in
      try await database.withOwner { pool in
        try await pool.withTransaction { transaction throws(PostgresError) in
          try await transaction.runScript(
            """
            CREATE SCHEMA auth;
            CREATE TABLE auth.users (
              instance_id uuid, id uuid PRIMARY KEY, aud varchar(255), email varchar(255));
            CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE
              AS $$ SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
            CREATE FUNCTION public.update_updated_at_column() RETURNS trigger LANGUAGE plpgsql
              AS $$ BEGIN NEW.updated_at = NOW(); RETURN NEW; END $$;
            CREATE TABLE public.assets (
              id uuid PRIMARY KEY, user_id uuid REFERENCES auth.users (id), title text);
            CREATE TABLE public.quotes (
              id uuid PRIMARY KEY, user_id uuid REFERENCES auth.users (id), text text);
            CREATE TABLE public.user_settings (
              id uuid PRIMARY KEY, user_id uuid UNIQUE REFERENCES auth.users (id),
              guardrails jsonb);
            GRANT SELECT ON public.assets TO anon;
            """)
        }
        let theirs = """
          SELECT concat_ws(' ', oid::regclass, relacl::text, (
            SELECT string_agg(attname || ' ' || atttypid::regtype, ', ' ORDER BY attnum)
            FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0))
          FROM pg_class AS c
          WHERE oid::regclass::text IN ('auth.users', 'assets', 'quotes', 'user_settings')
          UNION ALL
          SELECT proname || prosrc || coalesce(proacl::text, '') FROM pg_proc
          WHERE proname IN ('uid', 'update_updated_at_column')
          UNION ALL SELECT nspname || nspacl::text FROM pg_namespace
          WHERE nspname IN ('auth', 'public')
          UNION ALL SELECT defaclacl::text FROM pg_default_acl
          ORDER BY 1
          """
        let before = try await pool.lines(theirs)
        _ = try await migrate(database)
        let after = try await pool.lines(theirs)
        #expect(after == before)

        let user = UUID()
        try await pool.execute(Statement("INSERT INTO auth.users (id) VALUES ('\(user)')"))
        try await pool.execute(
          Statement(
            """
            INSERT INTO user_settings (id, user_id, guardrails)
            VALUES (gen_random_uuid(), '\(user)', '{"annual_mockup_budget": 5}')
            """))
        try await database.withPool { pool in
          let store = CreditStore(pool: pool)
          let usage = try await store.usage(of: user)
          #expect(usage.available == 5)
        }
      }
    }
  }

  @Test func `existing data is kept and counted`() async throws {
    try await MigratedDatabase.withoutSchema { database in
      let (user, other) = (UUID(), UUID())
      try await database.withOwner { pool in
        try await pool.withTransaction { transaction throws(PostgresError) in
          // The initial schema, created without the migrator.
          for migration in Schema.migrations.prefix(2) {
            try await transaction.runScript(migration.sql)
          }
          try await transaction.runScript(InitialData.sql(user: user, other: other))
        }
        let unchanged: [(String, [String])] = try await InitialData.tables(in: pool)

        #expect(try await migrate(database) == Schema.migrations.map(\.version))

        for (table, rows) in unchanged {
          let after = try await pool.lines(InitialData.query(table))
          #expect(after == rows, "\(table)")
        }
        #expect(unchanged.map(\.1.count) == [2, 2, 6, 9])
        let entries = try await pool.lines(
          """
          SELECT concat_ws(' ', year, sequence, credits, operation)
          FROM mockup_credit_usage WHERE user_id = '\(user)' ORDER BY year, sequence
          """)
        #expect(entries == InitialData.entries)
      }
      #expect(try await database.discrepancies() == [])
      try await database.withPool { pool in
        let store = CreditStore(pool: pool)
        let usage = try await store.usage(of: user, year: 2025, month: 3)
        #expect(usage.generation == 95)
        #expect(usage.regeneration == 3)
        #expect(usage.refund == 20)
        #expect(usage.used == 78)
        #expect(usage.monthlyUsed == 75)
        let odd = try await store.entries(of: other, after: nil, count: 10)
        #expect(odd.rows.map(\.operation) == [.refund])
        #expect(odd.rows.map(\.credits) == [.min])
      }
    }
  }

  @Test func `existing rows that violate checks are kept and new ones are rejected`() async throws {
    try await MigratedDatabase.withoutSchema { database in
      let (user, other) = (UUID(), UUID())
      try await database.withOwner { pool in
        try await pool.withTransaction { transaction throws(PostgresError) in
          for migration in Schema.migrations.prefix(2) {
            try await transaction.runScript(migration.sql)
          }
          try await transaction.runScript(InitialData.sql(user: user, other: other))
        }
        _ = try await migrate(database)
        // The existing rows satisfy the other checks, so those are valid for all rows.
        let forNewRowsOnly = try await pool.lines(
          """
          SELECT conname FROM pg_constraint
          WHERE convalidated AND pg_get_constraintdef(oid) LIKE '%(created_at <= %' ORDER BY 1
          """)
        #expect(
          forNewRowsOnly == [
            "mockup_credit_usage_credits_positive", "mockup_credit_usage_month_known",
            "mockup_credit_usage_operation_known", "mockups_quality_score_range",
          ])
        for (column, value) in [("credits", "0"), ("operation", "'gift'"), ("month", "13")] {
          var row = ["credits": "1", "operation": "'generation'", "month": "1"]
          row[column] = value
          let error = await #expect(throws: PostgresError.self) {
            try await pool.execute(
              Statement(
                """
                INSERT INTO mockup_credit_usage
                  (user_id, balance_before, balance_after, year, sequence,
                  \(row.keys.joined(separator: ", ")))
                VALUES ('\(user)', 0, 0, 2026, 1, \(row.values.joined(separator: ", ")))
                """))
          }
          #expect(error?.sqlState == .checkViolation, "\(column)")
        }
      }
    }
  }
}

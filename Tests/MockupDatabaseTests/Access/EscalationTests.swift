import FoundationEssentials
import MockupSchema
import MockupDatabase
import MockupCore
import Postgres
import TestSupport
import Testing

/// No role can run its own code with another role's rights by calling the project's functions.
@Suite struct EscalationTests {
  /// Runs a closure with a user who has one row in each table, under the user's id.
  private func withUser(
    _ body: (MigratedDatabase, UUID) async throws -> Void
  ) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      try await database.owner.run(Attacker.makeStranger)
      try await database.withOwner { owner in
        try await owner.withTransaction { transaction throws(PostgresError) in
          try await transaction.runScript(
            """
            INSERT INTO assets (id, user_id) VALUES ('\(user)', '\(user)');
            INSERT INTO quotes (id, user_id) VALUES ('\(user)', '\(user)');
            INSERT INTO mockups (id, user_id, asset_id, quote_id, scene, status, file_url, file_key)
            VALUES ('\(user)', '\(user)', '\(user)', '\(user)', 'bedroom', 'completed', 'u', 'k');
            INSERT INTO mockup_scene_templates (id, user_id, scene_key, name, dm_template_id)
            VALUES ('\(user)', '\(user)', 'attic', 'Attic', 'dm_1');
            """)
        }
      }
      try await body(database, user)
    }
  }

  private static let newIDArguments = [
    "p_entry_id", "p_entry_ids", "p_reservation_id", "p_reservation_ids", "p_template_id",
    "generate_mockups.p_mockup_ids",
  ]

  private static let textArguments = [
    "p_actions": "commit", "p_modes": "normal", "p_status": "approved", "p_dm_metadata": "{}",
    "p_scene": "bedroom", "p_scenes": "bedroom", "p_scene_key": "loft",
  ]

  /// Returns an SQL value for an argument of a type and a name.
  private static func value(
    _ type: String, _ name: String, of function: String, for user: UUID
  ) -> String? {
    let element = type.hasSuffix("[]") ? String(type.dropLast(2)) : type
    let values = [
      "uuid": newIDArguments.contains(name) || newIDArguments.contains("\(function).\(name)")
        ? "pg_catalog.gen_random_uuid()" : "pg_catalog.uuid '\(user)'",
      "text": "pg_catalog.text '\(textArguments[name] ?? "generation")'",
      "integer": "1", "bigint": "1::pg_catalog.int8", "boolean": "true",
      "double precision": "0.5::pg_catalog.float8", "jsonb": "pg_catalog.jsonb '{}'",
      "bytea": "pg_catalog.bytea 'x'", "timestamp with time zone": "pg_catalog.now()",
      "mockupd.reservations": "(SELECT r FROM mockupd.reservations AS r LIMIT 1)",
    ]
    return values[element].map { type == element ? $0 : "ARRAY[\($0)]" }
  }

  /// Returns two calls of every function that the session's role may call.
  ///
  /// The second call finds the rows of the first one. Functions that delete come last.
  private func calls(in pool: Pool, for user: UUID) async throws -> [String] {
    let arguments = try await pool.lines(
      """
      SELECT concat_ws('|', nspname, proname, argument.name, format_type(argument.type, NULL))
      FROM pg_proc
      JOIN pg_namespace ON pg_namespace.oid = pronamespace
      CROSS JOIN LATERAL unnest(proargtypes::oid[], proargnames[1:pronargs])
        WITH ORDINALITY AS argument (type, name, place)
      WHERE nspname IN ('public', 'mockupd') AND prorettype <> 'trigger'::regtype
        AND has_schema_privilege(pg_namespace.oid, 'USAGE')
        AND has_function_privilege(pg_proc.oid, 'EXECUTE')
      ORDER BY proname LIKE 'delete%', pg_proc.oid, argument.place
      """)
    var functions: [(name: String, values: [String])] = []
    for line in arguments {
      let parts = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
      let function = "\(parts[0]).\(parts[1])"
      let value = try #require(
        Self.value(parts[3], parts[2], of: parts[1], for: user), "an argument of \(line)")
      if functions.last?.name == function {
        functions[functions.count - 1].values.append(value)
      } else {
        functions.append((function, [value]))
      }
    }
    let calls = functions.map { "SELECT * FROM \($0.name)(\($0.values.joined(separator: ", ")))" }
    return calls + calls
  }

  /// Returns statements that run triggers, policies, checks and defaults.
  private static func statements(for user: UUID) -> [String] {
    let id = "'\(user)'"
    return [
      "SELECT count(*) FROM public.mockups", "SELECT count(*) FROM public.mockup_scene_templates",
      "SELECT count(*) FROM public.mockup_credit_usage",
      "SELECT count(*) FROM public.user_settings",
      "INSERT INTO public.mockups (user_id, asset_id, quote_id, scene) "
        + "VALUES (\(id), \(id), \(id), 'loft')",
      "INSERT INTO public.mockup_scene_templates (user_id, scene_key, name, dm_template_id) "
        + "VALUES (\(id), 'hall', 'Hall', 'dm_1')",
      "UPDATE public.mockups SET status = 'approved' "
        + "WHERE user_id = \(id) AND status = 'completed'",
      "UPDATE public.mockup_scene_templates SET name = 'Loft' WHERE user_id = \(id)",
      "DELETE FROM public.mockup_scene_templates WHERE user_id = \(id)",
      "DELETE FROM public.quotes WHERE user_id = \(id)",
      "DELETE FROM public.mockups WHERE user_id = \(id)",
    ]
  }

  /// Runs statements, and returns the outcome of each.
  private func outcomes(_ statements: [String], in pool: Pool) async throws -> [String] {
    var outcomes: [String] = []
    for sql in statements {
      do {
        try await pool.execute(Statement(sql))
        outcomes.append("done: \(sql)")
      } catch {
        outcomes.append("\(error.sqlState?.code ?? "\(error)"): \(sql)")
      }
    }
    return outcomes
  }

  @Test(arguments: Attacker.all)
  func `temporary objects of a role never run with the rights of another role`(attacker: Attacker)
    async throws
  {
    var runs: [[String]] = []
    for plants in [false, true] {
      try await withUser { database, user in
        try await attacker.withSession(in: database, as: "\(user)") { pool in
          let statements = try await calls(in: pool, for: user) + Self.statements(for: user)
          if plants { try await attacker.plant(in: pool) }
          runs.append(
            try await outcomes(statements, in: pool).map {
              $0.replacing("\(user)", with: "$user")
            })
          if plants { #expect(try await attacker.hits(in: pool) == 0) }
        }
      }
    }
    // The temporary objects change no outcome either.
    #expect(runs[1] == runs[0])
    let succeeded = Set(runs[0].filter { $0.hasPrefix("done: SELECT * FROM ") })
    switch attacker.role {
    case "mockupd_test": #expect(succeeded.count >= 30, "\(runs[0])")
    case "anon", Attacker.stranger: #expect(succeeded.isEmpty)
    default: #expect(succeeded.count >= 2, "\(runs[0])")
    }
  }

  /// Shows the attack that the search path of the project's functions prevents.
  @Test(arguments: ["text", "uuid", "jsonb", "int4", "bool", "timestamptz"])
  func `an empty search path lets a temporary type run with the rights of the owner`(type: String)
    async throws
  {
    try await withUser { database, user in
      for (path, runs) in [("''", true), ("pg_catalog, pg_temp", false)] {
        try await database.owner.run(
          """
          CREATE OR REPLACE FUNCTION public.careless() RETURNS void
          LANGUAGE plpgsql SECURITY DEFINER SET search_path = \(path)
          AS $$ BEGIN PERFORM NULL::\(type); END $$
          """)
        for attacker in Attacker.all {
          try await attacker.withSession(in: database, as: "\(user)") { pool in
            try await attacker.plant(in: pool)
            _ = try await pool.lines("SELECT public.careless()")
            let hits = try await attacker.hits(in: pool)
            #expect((hits > 0) == runs, "\(attacker.role), \(path)")
          }
        }
      }
    }
  }
}

/// A login that may create objects in a database cannot run code as the migrating login.
@Suite struct MigrationEscalationTests {
  private static let attacker = Attacker.stranger

  /// Runs a closure with a database in which the attacker may create schemas and public objects.
  private func withAttacker(
    _ body: (MigratedDatabase, Pool) async throws -> Void
  ) async throws {
    try await MigratedDatabase.withoutSchema { database in
      try await database.owner.run(Attacker.makeStranger)
      try await database.withOwner { owner in
        try await owner.withTransaction { transaction throws(PostgresError) in
          try await transaction.runScript(
            """
            GRANT CREATE ON SCHEMA public TO \(Self.attacker);
            DO $$ BEGIN
              EXECUTE format('GRANT CREATE ON DATABASE %I TO \(Self.attacker)', current_database());
            END $$;
            """)
        }
      }
      try await database.configuration(as: Self.attacker).withPool { pool in
        try await body(database, pool)
      }
    }
  }

  private func migrate(_ database: MigratedDatabase) async throws {
    try await Schema.migrator(configuration: database.owner).migrate()
  }

  /// Functions that match the calls of the migrations more exactly than PostgreSQL's own.
  private static let planted = """
    CREATE TABLE public.hits (role name);
    GRANT ALL ON public.hits TO PUBLIC;
    CREATE FUNCTION public.hit() RETURNS void LANGUAGE sql
      AS 'INSERT INTO public.hits SELECT current_user';
    CREATE FUNCTION public.format(text, text, text) RETURNS text LANGUAGE plpgsql
      AS 'BEGIN PERFORM public.hit(); RETURN pg_catalog.format($1, VARIADIC ARRAY[$2, $3]); END';
    CREATE FUNCTION public.format(text, regclass, name) RETURNS text LANGUAGE plpgsql
      AS 'BEGIN PERFORM public.hit();
        RETURN pg_catalog.format($1, VARIADIC ARRAY[$2::text, $3]); END';
    CREATE FUNCTION public.array_fill(bigint, integer[]) RETURNS bigint[] LANGUAGE plpgsql
      AS 'BEGIN PERFORM public.hit(); RETURN ARRAY[0,0,0,0,0,0,0,0,0,0,0,0]; END';
    CREATE FUNCTION public.convert_to(text, text) RETURNS bytea LANGUAGE plpgsql
      AS 'BEGIN PERFORM public.hit(); RETURN pg_catalog.convert_to($1, $2::name); END';
    CREATE FUNCTION public.hashtextextended(text, integer) RETURNS bigint LANGUAGE plpgsql
      AS 'BEGIN PERFORM public.hit(); RETURN 1; END';
    """

  @Test func `functions in public do not run with the rights of the migrating login`() async throws
  {
    try await withAttacker { database, pool in
      try await pool.withTransaction { transaction throws(PostgresError) in
        try await transaction.runScript(Self.planted)
      }
      try await migrate(database)
      let user = try await database.makeUser()
      var service = database.service
      service.searchPath = "pg_catalog, pg_temp"
      try await service.withPool { pool in
        let store = CreditStore(pool: pool)
        _ = try await store.reserve(ReservationRequest(userID: user, id: UUID(), credits: 3))
      }
      let hits = try await pool.lines("SELECT role FROM public.hits")
      #expect(hits == [])
      // The functions run if their schema is in the search path.
      try await database.withOwner { owner in
        _ = try await owner.lines("SELECT format('%s %s', 'public.hits'::regclass, 'a'::name)")
      }
      let count = try await pool.lines("SELECT count(*) FROM public.hits")
      #expect(count == ["1"])
    }
  }

  @Test(arguments: [
    (
      "CREATE TABLE public.user_settings (user_id uuid, guardrails jsonb)", "public.user_settings"
    ),
    (
      "CREATE VIEW public.user_settings AS SELECT NULL::uuid AS user_id, '{}'::jsonb AS guardrails",
      "public.user_settings"
    ),
    (
      "CREATE FUNCTION public.update_updated_at_column() RETURNS trigger LANGUAGE plpgsql "
        + "AS 'BEGIN RETURN NEW; END'", "public.update_updated_at_column()"
    ),
    ("CREATE SCHEMA mockupd", "schema mockupd"),
  ])
  func `a migration fails on an object that another login owns`(sql: String, object: String)
    async throws
  {
    try await withAttacker { database, pool in
      try await pool.execute(Statement(sql))
      let error = await #expect(throws: MigrationError.self) { try await migrate(database) }
      let cause = error?.cause.map { String(reflecting: $0) } ?? ""
      let text = "\(error?.message ?? "none") \(cause)"
      #expect(text.contains("\(object) is owned by \(Self.attacker)"), "\(text)")
    }
  }
}

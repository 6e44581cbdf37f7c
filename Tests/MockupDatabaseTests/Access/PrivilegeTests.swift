import MockupDatabase
import Postgres
import TestSupport
import Testing

/// The privileges of each role on all objects; those of a new object must be added here.
@Suite struct PrivilegeTests {
  /// The state of the database before the first migration.
  enum Host: CaseIterable, Sendable {
    /// An empty database.
    case empty
    /// The initial schema, with Supabase's default privileges.
    case defaultPrivileges
    /// A Supabase project, which is migrated by a login that is not a superuser.
    case supabaseProject
  }

  private func withSchema(
    on host: Host, _ body: (Pool) async throws -> Void
  ) async throws {
    switch host {
    case .empty: try await MigratedDatabase.with { try await $0.withOwner(body) }
    case .defaultPrivileges:
      try await InitialDatabase.with { database in
        try await database.migrate()
        try await database.database.withOwner(body)
      }
    case .supabaseProject:
      try await SupabaseProject.with { project in
        try await project.migrate()
        try await project.database.withOwner(body)
      }
    }
  }

  private static let roles = "('anon', 'authenticated', 'service_role')"

  static let relations = [
    "assets authenticated SELECT",
    "assets service_role DELETE,INSERT,SELECT,UPDATE",
    "mockup_credit_usage authenticated SELECT",
    "mockup_credit_usage service_role SELECT",
    "mockup_scene_templates authenticated DELETE,SELECT",
    "mockup_scene_templates service_role DELETE,INSERT,SELECT,UPDATE",
    "mockups authenticated DELETE,SELECT",
    "mockups service_role DELETE,INSERT,SELECT,UPDATE",
    "quotes authenticated SELECT",
    "quotes service_role DELETE,INSERT,SELECT,UPDATE",
    "user_settings authenticated SELECT",
    "user_settings service_role DELETE,INSERT,SELECT,UPDATE",
  ]

  @Test(arguments: Host.allCases)
  func `each role has exactly the expected privileges on tables`(on host: Host) async throws {
    try await withSchema(on: host) { pool in
      let found = try await pool.lines(
        """
        SELECT concat_ws(' ', relname, rolname, string_agg(privilege, ',' ORDER BY privilege))
        FROM pg_class CROSS JOIN pg_roles CROSS JOIN unnest(ARRAY[
          'SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
          AND rolname IN \(Self.roles) AND has_table_privilege(rolname, pg_class.oid, privilege)
        GROUP BY relname, rolname ORDER BY 1
        """)
      #expect(found == Self.relations)
      let sequences = try await pool.lines(
        "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"
      )
      #expect(sequences.isEmpty)
    }
  }

  static let columns = [
    "mockup_scene_templates authenticated INSERT config,description,dm_template_id,dm_template_url,"
      + "is_active,is_system,name,preview_url,recommended_collections,scene_key,user_id",
    "mockup_scene_templates authenticated UPDATE config,description,dm_template_id,dm_template_url,"
      + "is_active,name,preview_url,recommended_collections,scene_key",
    "mockups authenticated INSERT asset_id,quote_id,scene,scene_config,status,user_id",
    "mockups authenticated UPDATE status",
  ]

  @Test(arguments: Host.allCases)
  func `each role has exactly the expected privileges on single columns`(on host: Host) async throws
  {
    try await withSchema(on: host) { pool in
      let found = try await pool.lines(
        """
        SELECT concat_ws(' ', attrelid::regclass, rolname, privilege,
          string_agg(attname, ',' ORDER BY attname))
        FROM pg_attribute CROSS JOIN pg_roles
        CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) AS privilege
        WHERE attrelid IN (SELECT oid FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f'))
          AND attnum > 0 AND NOT attisdropped AND rolname IN \(Self.roles)
          AND has_column_privilege(rolname, attrelid, attnum, privilege)
          AND NOT has_table_privilege(rolname, attrelid, privilege)
        GROUP BY attrelid, rolname, privilege ORDER BY 1
        """)
      #expect(found == Self.columns)
    }
  }

  /// The last function returns a trigger, so no role can call it directly.
  static let functions = [
    "get_credit_usage(uuid,integer,integer) authenticated,mockupd_service,service_role",
    "reserve_mockup_credits(uuid,integer) authenticated,mockupd_service,service_role",
    "update_updated_at_column() anon,authenticated,mockupd_service,service_role",
  ]

  @Test(arguments: Host.allCases)
  func `each role may call exactly the expected functions`(on host: Host) async throws {
    try await withSchema(on: host) { pool in
      let found = try await pool.lines(
        """
        SELECT concat_ws(' ', pg_proc.oid::regprocedure, string_agg(rolname, ',' ORDER BY rolname)
          FILTER (WHERE has_function_privilege(rolname, pg_proc.oid, 'EXECUTE')))
        FROM pg_proc CROSS JOIN pg_roles
        WHERE pronamespace = 'public'::regnamespace
          AND (rolname IN \(Self.roles) OR rolname = 'mockupd_service')
        GROUP BY pg_proc.oid ORDER BY 1
        """)
      #expect(found == Self.functions)
    }
  }

  @Test(arguments: Host.allCases)
  func `only the login of the server may use the internal schema`(on host: Host) async throws {
    try await withSchema(on: host) { pool in
      let open = try await pool.lines(
        """
        SELECT concat_ws(' ', rolname, privilege, 'on', nspname)
        FROM pg_namespace CROSS JOIN pg_roles
        CROSS JOIN unnest(ARRAY['USAGE', 'CREATE']) AS privilege
        WHERE nspname = 'mockupd' AND rolname IN \(Self.roles)
          AND has_schema_privilege(rolname, pg_namespace.oid, privilege)
        UNION ALL
        SELECT concat_ws(' ', rolname, 'some of', pg_class.oid::regclass)
        FROM pg_class CROSS JOIN pg_roles
        WHERE relnamespace = 'mockupd'::regnamespace AND rolname IN \(Self.roles)
          AND relkind IN ('r', 'p', 'v', 'm', 'f') AND (
            has_table_privilege(rolname, pg_class.oid,
              'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
            OR has_any_column_privilege(rolname, pg_class.oid,
              'SELECT, INSERT, UPDATE, REFERENCES'))
        UNION ALL
        SELECT concat_ws(' ', rolname, 'some of', pg_class.oid::regclass)
        FROM pg_class CROSS JOIN pg_roles
        WHERE relnamespace = 'mockupd'::regnamespace AND rolname IN \(Self.roles) AND relkind = 'S'
          AND has_sequence_privilege(rolname, pg_class.oid, 'USAGE, SELECT, UPDATE')
        UNION ALL
        SELECT concat_ws(' ', rolname, 'calls', pg_proc.oid::regprocedure)
        FROM pg_proc CROSS JOIN pg_roles
        WHERE pronamespace = 'mockupd'::regnamespace AND rolname IN \(Self.roles)
          AND has_function_privilege(rolname, pg_proc.oid, 'EXECUTE')
        """)
      #expect(open.isEmpty)
      let count = try await pool.lines(
        "SELECT count(*) > 9 FROM pg_proc WHERE pronamespace = 'mockupd'::regnamespace")
      #expect(count == ["true"])
    }
  }

  /// The server makes all changes through functions that check and lock.
  @Test func `the login of the server writes to no table`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withOwner { pool in
        let writes = try await pool.lines(
          """
          SELECT concat_ws(' ', privilege, oid::regclass)
          FROM pg_class CROSS JOIN unnest(ARRAY[
            'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
          WHERE relnamespace::regnamespace::text IN ('public', 'auth', 'mockupd')
            AND relkind IN ('r', 'p', 'v', 'm', 'f')
            AND (has_table_privilege('mockupd_service', oid, privilege)
              OR CASE WHEN privilege IN ('INSERT', 'UPDATE', 'REFERENCES')
                THEN has_any_column_privilege('mockupd_service', oid, privilege) END)
          """)
        #expect(writes == [])
      }
    }
  }
}

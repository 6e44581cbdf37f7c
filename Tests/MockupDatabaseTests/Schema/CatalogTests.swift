import MockupSchema
import Postgres
import TestSupport
import Testing

/// Compares the system catalogs after migration 7 with the initial schema, item by item.
@Suite struct CatalogTests {
  /// Runs a closure in a database that has only the initial schema.
  private func withInitialSchema(_ body: (Pool) async throws -> Void) async throws {
    try await MigratedDatabase.withoutSchema { database in
      try await Schema.migrator(configuration: database.owner).migrate(upTo: 7)
      try await database.withOwner(body)
    }
  }

  private static let tables = "('mockups', 'mockup_credit_usage', 'mockup_scene_templates')"

  @Test func `columns and their defaults match the initial schema`() async throws {
    try await withInitialSchema { pool in
      for (table, expected) in InitialSchema.columns {
        let columns = try await pool.lines(
          """
          SELECT concat_ws(' ', attname, format_type(atttypid, atttypmod),
            CASE WHEN attnotnull THEN 'not null' END,
            'default ' || pg_get_expr(adbin, adrelid))
          FROM pg_attribute
          LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
          WHERE attrelid = 'public.\(table)'::regclass AND attnum > 0 AND NOT attisdropped
          ORDER BY attnum
          """)
        #expect(columns == expected, "\(table)")
      }
      #expect(InitialSchema.columns.map(\.1.count).reduce(0, +) == 43)
    }
  }

  @Test func `keys and checks match the initial schema`() async throws {
    try await withInitialSchema { pool in
      let constraints = try await pool.lines(
        """
        SELECT conrelid::regclass || ': ' || pg_get_constraintdef(oid)
        FROM pg_constraint
        WHERE conrelid IN (SELECT oid FROM pg_class WHERE relname IN \(Self.tables))
        ORDER BY conrelid::regclass::text, contype DESC, 1
        """)
      #expect(constraints.sorted() == InitialSchema.constraints.sorted())
    }
  }

  @Test func `indexes match the initial schema`() async throws {
    try await withInitialSchema { pool in
      let indexes = try await pool.lines(
        """
        SELECT pg_get_indexdef(indexrelid) FROM pg_index
        WHERE indrelid IN (SELECT oid FROM pg_class WHERE relname IN \(Self.tables))
          AND NOT indisprimary AND indisvalid
        """)
      #expect(indexes.sorted() == InitialSchema.indexes.sorted())
      #expect(indexes.count == 11)
    }
  }

  @Test func `row level security and its policies match the initial schema`() async throws {
    try await withInitialSchema { pool in
      let policies = try await pool.lines(
        """
        SELECT concat_ws(' ', policyname, 'on', tablename, permissive, 'for', cmd,
          'to', array_to_string(roles, ','), 'using ' || qual, 'check ' || with_check)
        FROM pg_policies WHERE tablename IN \(Self.tables)
        """)
      #expect(policies.sorted() == InitialSchema.policies.sorted())
      #expect(policies.count == 10)
      let secured = try await pool.lines(
        """
        SELECT relname || CASE WHEN relforcerowsecurity THEN ' forced' ELSE '' END
        FROM pg_class WHERE relrowsecurity AND relname IN \(Self.tables) ORDER BY 1
        """)
      #expect(secured == ["mockup_credit_usage", "mockup_scene_templates", "mockups"])
    }
  }

  @Test func `the trigger matches the initial schema`() async throws {
    try await withInitialSchema { pool in
      let triggers = try await pool.lines(
        """
        SELECT pg_get_triggerdef(oid) FROM pg_trigger
        WHERE NOT tgisinternal AND tgenabled = 'O'
        """)
      #expect(
        triggers == [
          "CREATE TRIGGER mockups_updated_at BEFORE UPDATE ON public.mockups FOR EACH ROW "
            + "EXECUTE FUNCTION update_updated_at_column()"
        ])
    }
  }

  @Test(arguments: [7, nil])
  func `functions keep their signatures`(version: Int?) async throws {
    try await MigratedDatabase.withoutSchema { database in
      try await Schema.migrator(configuration: database.owner).migrate(upTo: version)
      let functions = try await database.withOwner { pool in
        try await pool.lines(
          """
          SELECT concat_ws(' ', proname,
            '(' || pg_get_function_arguments(p.oid) || ') returns', pg_get_function_result(p.oid),
            lanname, CASE WHEN prosecdef THEN 'definer' END)
          FROM pg_proc AS p JOIN pg_language AS l ON l.oid = prolang
          WHERE pronamespace = 'public'::regnamespace AND proname <> 'update_updated_at_column'
          ORDER BY proname
          """)
      }
      // The only later change is that the default year is the year in UTC.
      #expect(functions == InitialSchema.functions(yearOf: version == 7 ? "" : "UTC"))
    }
  }

  @Test func `system scenes match the initial schema byte for byte`() async throws {
    try await withInitialSchema { pool in
      let scenes = try await pool.lines(
        """
        SELECT concat_ws('|', scene_key, name, description, dm_template_id,
          array_to_string(recommended_collections, ','), config::text)
        FROM mockup_scene_templates
        WHERE is_system AND is_active AND user_id IS NULL AND dm_template_url IS NULL
          AND preview_url IS NULL
        """)
      #expect(scenes.sorted() == InitialSchema.scenes.sorted())
      #expect(try await pool.lines("SELECT count(*) FROM mockup_scene_templates") == ["5"])
    }
  }

  @Test func `later migrations keep everything of the initial schema`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withOwner { pool in
        for (table, expected) in InitialSchema.columns {
          let names = try await pool.lines(
            """
            SELECT concat_ws(' ', attname, format_type(atttypid, atttypmod)) FROM pg_attribute
            WHERE attrelid = 'public.\(table)'::regclass AND attnum > 0 AND NOT attisdropped
            """)
          for column in expected {
            #expect(names.contains { "\(column) ".hasPrefix("\($0) ") }, "\(table).\(column)")
          }
        }
        let constraints = try await pool.lines(
          "SELECT conrelid::regclass || ': ' || pg_get_constraintdef(oid) FROM pg_constraint")
        #expect(Set(constraints).isSuperset(of: InitialSchema.constraints))
        let indexes = try await pool.lines("SELECT indexdef FROM pg_indexes")
        #expect(Set(indexes).isSuperset(of: InitialSchema.indexes))
        let scenes = try await pool.lines(
          "SELECT scene_key FROM mockup_scene_templates WHERE is_system ORDER BY 1")
        #expect(
          scenes == ["bedroom", "home_office", "living_room", "reading_nook", "therapy_office"])
      }
    }
  }
}

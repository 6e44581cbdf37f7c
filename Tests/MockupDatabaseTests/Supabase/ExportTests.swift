import Foundation
import MockupSchema
import Postgres
import TestSupport
import Testing

/// The schema as files for Supabase's tool, which applies them as a login without superuser.
@Suite struct ExportTests {
  typealias File = SchemaExport.File

  private static let functions = Schema.functions

  /// Applies files with psql, in the order of their names.
  private static func apply(
    _ files: [File], to project: SupabaseProject, options: [String] = []
  ) async throws {
    let url = try project.database.configuration(as: SupabaseProject.migrator).url
    try await withTemporaryFolder { folder in
      for file in files.sorted(by: { $0.name < $1.name }) {
        let path = "\(folder)/\(file.name)"
        try file.text.write(toFile: path, atomically: true, encoding: .utf8)
        let ending = try await RunningProgram(
          URL(filePath: "/usr/bin/psql"),
          ["-X", "-q", "-v", "ON_ERROR_STOP=1"] + options + ["-f", path, url], environment: [:],
          folder: URL(filePath: folder)
        ).ending()
        try #require(ending.exitCode == 0, "\(file.name): \(ending)")
      }
    }
  }

  private static func migrator(
    _ project: SupabaseProject, _ migrations: [Migration] = Schema.migrations,
    _ functions: RepeatableMigrations = functions
  ) throws -> Migrator {
    try Migrator(
      configuration: try project.database.configuration(as: SupabaseProject.migrator),
      schema: Schema.name, migrations: migrations, repeatable: functions)
  }

  /// Returns every object of the schema with its owner, definition and rights.
  private static func catalog(_ project: SupabaseProject) async throws -> [String] {
    try await project.database.withOwner { pool in
      try await pool.lines(
        """
        SELECT concat_ws(' ', oid::regprocedure, proowner::regrole, md5(prosrc), proconfig::text,
          proacl::text)
        FROM pg_proc WHERE pronamespace IN ('public'::regnamespace, 'mockupd'::regnamespace)
        UNION ALL
        SELECT concat_ws(' ', c.oid::regclass, relkind, relowner::regrole, relacl::text,
          (SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull,
            pg_get_expr(adbin, adrelid)), ', ' ORDER BY attname)
          FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
          WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped))
        FROM pg_class AS c WHERE relnamespace IN ('public'::regnamespace, 'mockupd'::regnamespace)
        UNION ALL
        SELECT pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace IN ('public'::regnamespace, 'mockupd'::regnamespace)
        UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT concat_ws(' ', tablename, policyname, qual, with_check) FROM pg_policies
        UNION ALL SELECT concat_ws(' ', version, name, checksum) FROM mockupd.schema_migrations
        UNION ALL
        SELECT concat_ws(' ', name, revision, checksum) FROM mockupd.repeatable_migrations
        ORDER BY 1
        """)
    }
  }

  @Test(arguments: [[], ["-1"]])
  func `applied files make the same schema as the migrator and leave it nothing to do`(
    _ options: [String]
  ) async throws {
    let migrated = try await SupabaseProject.with { project in
      try await project.migrate()
      return try await Self.catalog(project)
    }
    try await SupabaseProject.with { project in
      let files = try SchemaExport.newFiles(beside: [])
      try await Self.apply(files, to: project, options: options)
      let status = try await Self.migrator(project).status()
      #expect(status.pending.isEmpty)
      #expect(status.applied.map(\.version) == Schema.migrations.map(\.version))
      let catalog = try await Self.catalog(project)
      #expect(Set(catalog) == Set(migrated))
      #expect(catalog.count == migrated.count && migrated.count > 200)
      // The session's search path is not changed, and applying the files again changes nothing.
      try await Self.apply(files, to: project, options: options)
      #expect(try await Self.catalog(project) == catalog)
    }
  }

  @Test func `files change nothing in a database that the migrator has migrated`() async throws {
    try await SupabaseProject.with { project in
      try await project.migrate()
      let before = try await Self.catalog(project)
      try await Self.apply(try SchemaExport.newFiles(beside: []), to: project)
      #expect(try await Self.catalog(project) == before)
      #expect(try await Self.migrator(project).status().pending.isEmpty)
    }
  }

  /// The program before and after an upgrade that adds a migration, and changes, adds and removes a
  /// function.
  private static let old = (
    migrations: Schema.migrations,
    functions: RepeatableMigrations(
      revision: functions.revision,
      migrations: functions.migrations + [
        function("two", "SELECT 2"), function("gone", "SELECT 0"),
      ])
  )

  private static let new = (
    migrations: Schema.migrations + [
      Migration(
        version: 1000, name: "later",
        sql: "DROP FUNCTION mockupd.gone(); CREATE TABLE mockupd.later (id integer);")
    ],
    functions: RepeatableMigrations(
      revision: functions.revision + 1,
      migrations: functions.migrations + [
        function("two", "SELECT 1 + 1"), function("three", "SELECT 3"),
      ])
  )

  private static func function(_ name: String, _ body: String) -> RepeatableMigration {
    RepeatableMigration(
      name: "test/\(name)",
      sql: "CREATE OR REPLACE FUNCTION mockupd.\(name)() RETURNS integer LANGUAGE sql "
        + "SET search_path = pg_catalog, pg_temp AS $$ \(body) $$;")
  }

  @Test func `after an upgrade, an export writes only what is new`() async throws {
    let first = try SchemaExport.newFiles(
      beside: [], migrations: Self.old.migrations, functions: Self.old.functions)
    #expect(first.count == Self.old.migrations.count + 1)
    #expect(first[0].name == "20260101000000_mockupd_000_foundation.sql")
    #expect(first.map(\.name) == first.map(\.name).sorted())
    #expect(
      try SchemaExport.newFiles(
        beside: first.reversed(), migrations: Self.old.migrations, functions: Self.old.functions)
        == [])

    // The project has migrations of its own before and after.
    let others = [
      File(name: "20250101000000_init.sql", text: "SELECT 1;"),
      File(name: "20270101120000_shop.sql", text: "SELECT 1;"),
    ]
    let second = try SchemaExport.newFiles(
      beside: first + others, migrations: Self.new.migrations, functions: Self.new.functions)
    #expect(
      second.map(\.name) == [
        "20270101120001_mockupd_1000_later.sql", "20270101120002_mockupd_functions.sql",
      ])
    #expect(second[1].text.contains("test/two") && second[1].text.contains("test/three"))
    #expect(!second[1].text.contains("$mockupd_sql$-- Reserves"))
    let all = first + others + second
    #expect(
      try SchemaExport.newFiles(
        beside: all, migrations: Self.new.migrations, functions: Self.new.functions) == [])

    try await SupabaseProject.with { project in
      try await Self.apply(first, to: project)
      #expect(
        try await Self.migrator(project, Self.old.migrations, Self.old.functions).status()
          .pending.isEmpty)
      try await Self.apply(second, to: project)
      let status = try await Self.migrator(project, Self.new.migrations, Self.new.functions)
        .status()
      #expect(status.pending.isEmpty)
      let values = try await project.database.withOwner { pool in
        try await pool.lines("SELECT mockupd.two() || ' ' || mockupd.three()")
      }
      #expect(values == ["2 3"])
    }
    // A database that the new program has migrated gets all files, the old functions among them.
    try await SupabaseProject.with { project in
      try await Self.migrator(project, Self.old.migrations, Self.old.functions).migrate()
      try await Self.migrator(project, Self.new.migrations, Self.new.functions).migrate()
      let before = try await Self.catalog(project)
      try await Self.apply(all, to: project)
      #expect(try await Self.catalog(project) == before)
    }
  }

  @Test func `an export refuses changed files and those of a newer program`() throws {
    let files = try SchemaExport.newFiles(
      beside: [], migrations: Self.new.migrations, functions: Self.new.functions)
    let changed = files.map { file in
      file.name.hasSuffix("_mockups.sql")
        ? File(name: file.name, text: file.text + "SELECT 1;\n") : file
    }
    let refusal = #expect(throws: SchemaExport.Failure.self) {
      try SchemaExport.newFiles(
        beside: changed, migrations: Self.new.migrations, functions: Self.new.functions)
    }
    #expect(
      refusal?.description
        == "20260101000001_mockupd_007_mockups.sql was changed after it was exported")
    let newer = #expect(throws: SchemaExport.Failure.self) {
      try SchemaExport.newFiles(beside: files)
    }
    #expect(newer?.description.contains("migration 1000, which this program does not know") == true)
    let functions = #expect(throws: SchemaExport.Failure.self) {
      try SchemaExport.newFiles(beside: files.filter { $0.name.hasSuffix("_functions.sql") })
    }
    #expect(functions?.description.contains("this program has revision") == true)
  }
}

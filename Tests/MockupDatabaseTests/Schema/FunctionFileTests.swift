import FoundationEssentials
import MockupSchema
import Postgres
import TestSupport
import Testing

/// The SQL files: migrations, and one file for each function, view, aggregate and trigger.
@Suite struct FunctionFileTests {
  private static let folder = "Sources/MockupSchema/SQL/Functions"

  /// Returns each file of the folder: its relative path without the extension, and its text.
  private func files() throws -> [(path: String, sql: String)] {
    try Checkout.files(below: [Self.folder]).filter { $0.hasSuffix(".sql") }.map { file in
      (String(file.dropFirst(Self.folder.count + 1).dropLast(4)), try Checkout.text(of: file))
    }
  }

  /// Returns the statements without comments.
  private func code(_ sql: String) -> String {
    sql.replacing(/--[^\n]*/, with: "")
  }

  private func name(of path: some StringProtocol) -> String {
    String(path.split(separator: "/").last ?? "")
  }

  @Test func `every file is listed with its path and its text`() throws {
    let files = try files()
    #expect(files.count > 50)
    let listed = Dictionary(
      uniqueKeysWithValues: Schema.functions.migrations.map { ($0.name, $0.sql) })
    #expect(Set(files.map(\.path)) == Set(listed.keys))
    for (path, sql) in files { #expect(listed[path] == sql, "\(path)") }
  }

  @Test func `every file creates one object with the name of the file and its privileges`() throws {
    for (path, sql) in try files() {
      let code = code(sql)
      let created = code.matches(
        of: /CREATE (OR REPLACE )?(\w+) ((mockupd|public)\.)?(\w+)/)
      try #require(created.count == 1, "\(path)")
      #expect(created[0].1 != nil, "\(path) lacks OR REPLACE")
      #expect(String(created[0].5) == name(of: path))
      switch created[0].2 {
      case "FUNCTION":
        #expect(code.contains("\nSET search_path = pg_catalog, pg_temp\n"), "\(path)")
        fallthrough
      case "VIEW", "AGGREGATE":
        #expect(
          code.contains(
            /REVOKE ALL ON .+\n  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;/),
          "\(path)")
      case "TRIGGER": break
      default: Issue.record("\(path) creates an unexpected \(created[0].2)")
      }
    }
  }

  /// PostgreSQL adds so high a cost to a plan that it was told to avoid that it compiles the
  /// statement, which takes much longer than its execution.
  @Test func `a function that avoids plans does not compile its statements`() throws {
    var count = 0
    for (path, sql) in try files() where code(sql).contains("\nSET enable_") {
      count += 1
      #expect(code(sql).contains("\nSET jit = off\n"), "\(path)")
    }
    #expect(count > 20)
  }

  @Test func `the versioned migrations neither create nor call these objects`() throws {
    let names = try files().map { name(of: $0.path) }
    for migration in Schema.migrations where migration.version > 7 {
      // They may drop an old version of a function.
      let code = code(migration.sql).replacing(/DROP FUNCTION [^;]*;/, with: "")
      #expect(
        !code.contains(/CREATE (OR REPLACE )?(FUNCTION|PROCEDURE|VIEW|AGGREGATE|TRIGGER)/),
        "\(migration.name)")
      for name in names {
        #expect(!code.contains(".\(name)("), "\(migration.name) calls \(name)")
      }
    }
  }

  @Test func `the database has exactly the listed objects`() async throws {
    try await MigratedDatabase.withoutSchema { database in
      let migrator = try Schema.migrator(configuration: database.owner)
      let objects = """
        SELECT proname::text FROM pg_proc WHERE pronamespace = 'mockupd'::regnamespace
          OR oid IN (to_regproc('public.get_credit_usage'),
            to_regproc('public.reserve_mockup_credits')) AND prosrc LIKE '%mockupd.%'
        UNION ALL
        SELECT relname FROM pg_class
        WHERE relnamespace = 'mockupd'::regnamespace AND relkind IN ('v', 'm')
        UNION ALL
        SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname <> 'mockups_updated_at'
        """
      // The versioned migrations create none of these objects.
      try await migrator.migrate(upTo: Schema.migrations.last?.version)
      try await database.withOwner { pool in
        #expect(try await pool.lines(objects) == [])
        try await migrator.migrate()
        let made = try await pool.lines(objects)
        #expect(made.sorted() == Schema.functions.migrations.map { name(of: $0.name) }.sorted())
      }
    }
  }

  @Test func `applying every file again changes nothing`() async throws {
    try await MigratedDatabase.with { database in
      let catalog = """
        SELECT concat_ws(' ', oid::regprocedure, md5(prosrc), proconfig::text, proacl::text)
        FROM pg_proc WHERE pronamespace IN ('public'::regnamespace, 'mockupd'::regnamespace)
        UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT concat_ws(' ', pg_get_viewdef(oid), relacl::text) FROM pg_class
        WHERE relkind = 'v' AND relnamespace = 'mockupd'::regnamespace
        ORDER BY 1
        """
      try await database.withOwner { pool in
        let before = try await pool.lines(catalog)
        #expect(before.count >= Schema.functions.migrations.count)
        try await pool.execute("DELETE FROM mockupd.repeatable_migrations")
        let applied = try await Schema.migrator(configuration: database.owner).migrate()
        #expect(applied.repeatable == Schema.functions.migrations)
        #expect(try await pool.lines(catalog) == before)
      }
    }
  }
}

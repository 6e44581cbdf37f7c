import Foundation
import Glibc
import MockupSchema
import Postgres
import TestSupport
import Testing

/// `mockupd migrate`, and `mockupd serve` on a database with a schema of another version.
@Suite struct MigrateTests {
  /// Runs a closure with an empty database.
  static func withEmptyDatabase(
    _ body: (PostgresConfiguration) async throws -> Void
  ) async throws {
    try await MigratedDatabase.with { database in
      try await database.owner.run("CREATE SCHEMA extensions")
      for schema in ["mockupd", "public", "auth"] {
        try await database.owner.run("DROP SCHEMA IF EXISTS \(schema) CASCADE")
      }
      try await database.owner.run("CREATE SCHEMA public")
      try await body(database.owner)
    }
  }

  static func mockupd(
    _ arguments: [String], _ database: PostgresConfiguration
  ) async throws -> Program.Ending {
    try await Program.mockupd.run(
      arguments, environment: ["MOCKUPD_DATABASE_URL": database.url])
  }

  @Test func `an empty database is migrated once`() async throws {
    try await Self.withEmptyDatabase { database in
      func words(_ ending: Program.Ending) -> [Substring] {
        ending.output.split(separator: "\n").map { $0.prefix { $0 != " " } }
      }
      let before = try await Self.mockupd(["migrate", "--status"], database)
      #expect(before.exitCode == 0, "\(before)")
      #expect(Set(words(before)) == ["pending"])
      #expect(before.output.contains("pending 007_mockups\n"))
      #expect(
        before.output.contains("pending 025_dropped_functions\npending credits/guardrail\n"))

      let first = try await Self.mockupd(["migrate"], database)
      #expect(first.exitCode == 0, "\(first)")
      #expect(
        first.output == before.output.replacing("pending", with: "applying")
          + "applied \(words(before).count) migrations\n")

      let second = try await Self.mockupd(["migrate"], database)
      #expect(second.exitCode == 0)
      #expect(second.output == "nothing to do\n")
      #expect(
        try await Self.mockupd(["migrate", "--status"], database).output
          == before.output.replacing("pending", with: "applied"))
    }
  }

  @Test func `the migrations are exported once, without a database`() async throws {
    try await withTemporaryFolder { folder in
      let migrations = "\(folder)/supabase/migrations"
      let first = try await Program.mockupd.run(["migrate", "--export", migrations])
      #expect(first.exitCode == 0, "\(first)")
      let names = try FileManager.default.contentsOfDirectory(atPath: migrations).sorted()
      #expect(first.output == names.map { "exported \($0)\n" }.joined())
      #expect(names.count == Schema.migrations.count + 1)
      #expect(names.first == "20260101000000_mockupd_000_foundation.sql")
      let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
      let article = try String(
        contentsOf: root.appending(path: "Sources/mockupd/mockupd.docc/Supabase.md"),
        encoding: .utf8)
      let lines = Set(article.split(separator: "\n").map(String.init))
      for name in [names[0], names[1], try #require(names.last)] {
        #expect(lines.contains("exported \(name)"), "the article Supabase has other names")
      }
      let second = try await Program.mockupd.run(["migrate", "--export", migrations])
      #expect(second.output == "nothing to do\n")

      let handle = try FileHandle(
        forWritingTo: URL(filePath: "\(migrations)/\(try #require(names.first))"))
      try handle.truncate(atOffset: 100)
      let changed = try await Program.mockupd.run(["migrate", "--export", migrations])
      #expect(changed.exitCode == 1)
      #expect(changed.errors.contains("was changed after it was exported"), "\(changed)")
      let both = try await Program.mockupd.run(["migrate", "--status", "--export", migrations])
      #expect(both.exitCode == 64)
    }
  }

  @Test func `concurrent migrators apply each migration once`() async throws {
    try await Self.withEmptyDatabase { database in
      let endings = try await withThrowingTaskGroup(of: Program.Ending.self) { group in
        for _ in 0..<3 { group.addTask { try await Self.mockupd(["migrate"], database) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(endings.allSatisfy { $0.exitCode == 0 }, "\(endings)")
      let applied = endings.flatMap { $0.output.split(separator: "\n") }
        .filter { $0.hasPrefix("applying") }
      #expect(
        applied.map(String.init)
          == Schema.migrations.map { migration in
            let digits = String(migration.version)
            return "applying " + String(repeating: "0", count: 3 - digits.count) + digits + "_"
              + migration.name
          } + Schema.functions.migrations.map { "applying \($0.name)" })
      let summaries = endings.map { $0.output.split(separator: "\n").last.map(String.init) }
      #expect(summaries.filter { $0 == "nothing to do" }.count == 2, "\(summaries)")
      #expect(summaries.contains("applied \(applied.count) migrations"), "\(summaries)")
    }
  }

  @Test(arguments: ["anon", "mockupd_service"])
  func `a role that a concurrent migration of another database creates is used`(
    role: String
  ) async throws {
    try await PrivatePostgres.with(isMigrated: false) { postgres in
      try await postgres.makeDatabase("first").withPool { pool in
        let (made, finished) = (Flag(), Flag())
        async let other: Void = pool.withTransaction { transaction throws(PostgresError) in
          defer { made.set() }
          try await transaction.execute(Statement("CREATE ROLE \(role) NOLOGIN"))
          made.set()
          try? await finished.wait()
        }
        try await made.wait()
        async let migration = Self.mockupd(["migrate"], postgres.database)
        // It creates the same role, and waits for the end of the other transaction.
        try await eventually("the migration waits") {
          try await pool.query(
            """
            SELECT count(*) > 0 FROM pg_stat_activity
            WHERE datname = 'postgres' AND wait_event = 'transactionid'
            """
          ) { row throws(PostgresError) in try row.decode(Bool.self, at: 0) } == [true]
        }
        finished.set()
        try await other
        let ending = try await migration
        #expect(ending.exitCode == 0, "\(ending)")
      }
    }
  }

  @Test func `a failed migration reports the error of PostgreSQL`() async throws {
    try await Self.withEmptyDatabase { database in
      try await database.run("CREATE SCHEMA mockupd")
      try await database.run("CREATE TABLE mockupd.reservations (mine text)")
      let ending = try await Self.mockupd(["migrate"], database)
      #expect(ending.exitCode == 1)
      #expect(
        ending.errors.contains(
          "migration 11 (reservations) failed: relation \"reservations\" already exists"
            + " (SQLSTATE 42P07)"), "\(ending)")
      let status = try await Self.mockupd(["migrate", "--status"], database)
      #expect(!status.output.contains("applied"), "\(status)")
    }
  }

  @Test func `a failed function rolls back the migrations before it`() async throws {
    try await Self.withEmptyDatabase { database in
      try await database.run("CREATE SCHEMA mockupd")
      try await database.run(
        """
        CREATE FUNCTION mockupd.guardrail(p_guardrails jsonb, p_key text, p_default integer)
        RETURNS text LANGUAGE sql AS $$ SELECT '' $$
        """)
      let ending = try await Self.mockupd(["migrate"], database)
      #expect(ending.exitCode == 1)
      #expect(ending.output.hasSuffix("applying credits/guardrail\n"), "\(ending)")
      #expect(!ending.output.contains("applied"), "\(ending)")
      #expect(
        ending.errors.contains(
          "migration credits/guardrail failed: cannot change return type of existing function"),
        "\(ending)")
      // The failure is reported, too, if the progress cannot be.
      let unwritable = try await Program.mockupd.run(
        ">/dev/full", ["migrate"], environment: ["MOCKUPD_DATABASE_URL": database.url])
      #expect(unwritable.exitCode == 1, "\(unwritable)")
      #expect(unwritable.errors.contains("migration credits/guardrail failed"), "\(unwritable)")
      let status = try await Self.mockupd(["migrate", "--status"], database)
      #expect(!status.output.contains("applied"), "\(status)")
    }
  }

  @Test func `a server refuses to start on a pending function, and only that function is applied`()
    async throws
  {
    try await MigratedDatabase.with { database in
      try await database.owner.run(
        "UPDATE mockupd.repeatable_migrations SET checksum = 'old' WHERE name = 'credits/settle'")
      let status = try await Self.mockupd(["migrate", "--status"], database.owner)
      let pending = status.output.split(separator: "\n").filter { $0.hasPrefix("pending") }
      #expect(pending == ["pending credits/settle"])
      #expect(!status.output.contains("applied credits/settle\n"))

      try await withTemporaryFolder { folder in
        let server = try await Self.mockupd(
          ["serve", "--socket", "\(folder)/socket", "--log-level", "critical"], database.owner)
        #expect(server.exitCode == 1)
        #expect(
          server.errors.contains(": outdated function credits/settle; run `mockupd migrate`"),
          "\(server)")
      }

      let ending = try await Self.mockupd(["migrate"], database.owner)
      #expect(ending.output == "applying credits/settle\napplied 1 migration\n", "\(ending)")
      #expect(try await Self.mockupd(["migrate"], database.owner).output == "nothing to do\n")
    }
  }

  @Test(arguments: [
    ("user", "nobody_here", "role \"nobody_here\" does not exist"),
    ("path", "/nothing_here", "database \"nothing_here\" does not exist"),
    ("host", "/nowhere", "No such file or directory"),
  ])
  func `a failed connection reports the reason without the password`(
    part: String, value: String, reason: String
  ) async throws {
    try await MigratedDatabase.with { database in
      var components = try #require(URLComponents(string: database.owner.url))
      var items = components.queryItems ?? []
      if part == "path" {
        components.path = value
      } else {
        items = items.filter { $0.name != part } + [URLQueryItem(name: part, value: value)]
      }
      components.queryItems = items + [URLQueryItem(name: "password", value: "hunter2")]
      let url = try #require(components.string)
      let migrate = try await Program.mockupd.run(["migrate", "--database-url", url])
      #expect(migrate.exitCode == 1)
      #expect(migrate.errorLines.count == 1, "\(migrate)")
      #expect(migrate.errors.contains(reason), "\(migrate)")
      try await withTemporaryFolder { folder in
        let server = try Program.mockupd.start(
          ["serve", "--socket", "\(folder)/socket", "--database-url", url], folder: folder)
        // The log escapes quotation marks in values.
        try await server.waitForErrors(reason.replacing("\"", with: "\\\""))
        server.signal(SIGTERM)
        let ending = await server.ending()
        #expect(!"\(ending)\(migrate)".contains("hunter2"))
      }
    }
  }

  @Test func `a server refuses a database that is not migrated and says to migrate it`()
    async throws
  {
    try await Self.withEmptyDatabase { database in
      try await withTemporaryFolder { folder in
        let ending = try await Self.mockupd(
          ["serve", "--socket", "\(folder)/socket", "--log-level", "critical"], database)
        #expect(ending.exitCode == 1)
        #expect(ending.output.isEmpty)
        #expect(ending.errorLines.count == 1, "\(ending)")
        #expect(ending.errors.contains("run `mockupd migrate`"), "\(ending)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/socket"))
      }
    }
  }

  @Test(arguments: [
    (
      "INSERT INTO mockupd.schema_migrations (version, name, checksum) VALUES (999, 'later', 'x')",
      "999"
    ),
    ("UPDATE mockupd.schema_migrations SET checksum = 'other' WHERE version = 9", "changed"),
    (
      "UPDATE mockupd.repeatable_migrations SET revision = 999 WHERE name = 'credits/reserve'",
      "credits/reserve of revision 999"
    ),
  ])
  func `a database of another version is refused`(change: String, reason: String) async throws {
    try await MigratedDatabase.with { database in
      try await database.owner.run(change)
      try await withTemporaryFolder { folder in
        for command in [
          ["serve", "--socket", "\(folder)/socket", "--log-level", "critical"], ["migrate"],
          ["migrate", "--status"],
        ] {
          let ending = try await Self.mockupd(command, database.owner)
          #expect(ending.exitCode == 1)
          #expect(ending.errorLines.count == 1, "\(ending)")
          #expect(ending.errors.contains(reason), "\(ending)")
        }
      }
    }
  }

  @Test func `an unreachable database is reported in one line without the password`() async throws {
    let nowhere = PostgresConfiguration(
      url: "postgresql://u:hunter2@/db?host=/nowhere", applicationName: "test")
    let ending = try await Program.mockupd.run(
      ["migrate"],
      environment: [
        "MOCKUPD_DATABASE_URL": nowhere.url, "MOCKUPD_DATABASE_CONNECT_TIMEOUT_SECONDS": "1",
      ])
    #expect(ending.exitCode == 1)
    #expect(ending.errorLines.count == 1, "\(ending)")
    #expect(ending.errors.contains("not reachable"), "\(ending)")
    #expect(!ending.description.contains("hunter2"))
  }
}

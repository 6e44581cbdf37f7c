import Foundation
import Glibc
import MockupSchema
import Postgres
import TestSupport
import Testing

/// `mockupd migrate`, and `mockupd serve` on a database with a schema of another version.
@Suite struct MigrateTests {
  /// Runs a closure with an empty database.
  private static func withEmptyDatabase(
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

  private static func mockupd(
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
      #expect(before.output.contains("pending 021_partitions\npending credits/guardrail\n"))

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
        let made = AsyncStream<Void>.makeStream()
        let finish = AsyncStream<Void>.makeStream()
        async let other: Void = pool.withTransaction { transaction throws(PostgresError) in
          defer { made.continuation.finish() }
          try await transaction.execute(Statement("CREATE ROLE \(role) NOLOGIN"))
          made.continuation.finish()
          for await _ in finish.stream {}
        }
        for await _ in made.stream {}
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
        finish.continuation.finish()
        try await other
        let ending = try await migration
        #expect(ending.exitCode == 0, "\(ending)")
      }
    }
  }

  /// Runs a closure while a migration waits for a lock.
  ///
  /// - Parameters:
  ///   - arguments: Further arguments of `mockupd migrate`.
  ///   - body: Receives the migration's process, the process id of the session that holds the lock,
  ///     and a function that releases the lock.
  private static func whileLocked(
    _ arguments: [String],
    _ body: (RunningProgram, _ holder: Int32, _ release: () async throws -> Void) async throws ->
      Void
  ) async throws {
    try await withEmptyDatabase { database in
      var other = database
      other.applicationName = "a\u{1b}[31m dashboard"
      try await other.withPool { pool in
        let locked = AsyncStream<Int32>.makeStream()
        let finish = AsyncStream<Void>.makeStream()
        let holder = Task {
          try await pool.withTransaction { transaction throws(PostgresError) in
            let process = try await transaction.query(
              """
              SELECT pg_backend_pid()
              FROM pg_advisory_xact_lock(hashtextextended('schema_migrations mockupd', 0))
              """
            ) { row throws(PostgresError) in try row.decode(Int32.self, at: 0) }
            locked.continuation.yield(process.first ?? 0)
            for await _ in finish.stream {}
          }
        }
        var processes = locked.stream.makeAsyncIterator()
        let process = try #require(await processes.next())
        try await withTemporaryFolder { folder in
          let program = try Program.mockupd.start(
            ["migrate"] + arguments, environment: ["MOCKUPD_DATABASE_URL": database.url],
            folder: folder)
          try await body(program, process) {
            finish.continuation.finish()
            try await holder.value
          }
        }
        finish.continuation.finish()
        try await holder.value
      }
    }
  }

  @Test func `a migration that waits for a lock logs the session that holds it`() async throws {
    try await Self.whileLocked([]) { program, holder, release in
      try await program.waitForErrors("waiting for a lock held by process \(holder) (")
      #expect(program.errors.contains("dashboard) of postgres, in a transaction since 20"))
      #expect(!program.errors.contains("\u{1b}"))
      try await release()
      let ending = await program.ending()
      #expect(ending.exitCode == 0, "\(ending)")
      #expect(ending.output.contains("applying 017_access\n"))
      #expect(ending.errorLines.count == 1, "\(ending)")
    }
  }

  @Test func `a migration stops waiting for a lock at the lock timeout`() async throws {
    try await Self.whileLocked(["--lock-timeout", "1"]) { program, _, _ in
      let ending = await program.ending()
      #expect(ending.exitCode == 1)
      #expect(ending.errors.contains("lock timeout (SQLSTATE 55P03)"), "\(ending)")
    }
  }

  @Test func `warnings of migrations are printed and notices are not`() async throws {
    try await Self.withEmptyDatabase { database in
      try await Schema.migrator(configuration: database).migrate(upTo: 7)
      let user = UUID()
      try await database.run("INSERT INTO auth.users (id) VALUES ('\(user)')")
      try await database.run(
        """
        INSERT INTO public.mockup_credit_usage
          (user_id, credits, operation, balance_before, balance_after)
        VALUES ('\(user)', -3, 'generation', 0, 0)
        """)
      let ending = try await Self.mockupd(["migrate"], database)
      #expect(ending.exitCode == 0, "\(ending)")
      #expect(ending.errors.contains("WARNING: existing rows of "), "\(ending)")
      #expect(ending.errorLines.allSatisfy { $0.hasPrefix("WARNING: ") }, "\(ending)")
    }
  }

  /// The output is a pipe, which programs often write to only when a buffer is full.
  @Test func `each migration is printed when it begins, and warnings when they arrive`()
    async throws
  {
    try await Self.withEmptyDatabase { database in
      try await Schema.migrator(configuration: database).migrate(upTo: 7)
      let user = UUID()
      try await database.run("INSERT INTO auth.users (id) VALUES ('\(user)')")
      try await database.run(
        """
        INSERT INTO public.mockup_credit_usage
          (user_id, credits, operation, balance_before, balance_after)
        VALUES ('\(user)', -3, 'generation', 0, 0)
        """)
      try await database.withPool { pool in
        let locked = AsyncStream<Void>.makeStream()
        let finish = AsyncStream<Void>.makeStream()
        let holder = Task {
          try await pool.withTransaction { transaction throws(PostgresError) in
            // Migration 010 is the first one after 007 that needs a lock on this table.
            try await transaction.execute(
              Statement("LOCK TABLE auth.users IN ROW EXCLUSIVE MODE"))
            locked.continuation.finish()
            for await _ in finish.stream {}
          }
        }
        for await _ in locked.stream {}
        try await withTemporaryFolder { folder in
          let program = try Program.mockupd.start(
            ["migrate"], environment: ["MOCKUPD_DATABASE_URL": database.url],
            folder: folder)
          try await program.waitForErrors("waiting for a lock held by process ")
          try await eventually("the migration that waits is printed") {
            program.output.contains("applying ")
          }
          let steps = program.output.split(separator: "\n")
          #expect(steps.first == "applying 008_ledger", "\(steps)")
          #expect(steps.count > 1 && steps.allSatisfy { $0.hasPrefix("applying 0") }, "\(steps)")
          #expect(program.errors.contains("WARNING: existing rows of "), "\(program.errors)")
          #expect(program.knownEnding == nil)
          // Nothing is committed yet.
          let status = try await Self.mockupd(["migrate", "--status"], database)
          #expect(status.output.contains("pending 008_ledger\n"), "\(status)")

          finish.continuation.finish()
          let ending = await program.ending()
          #expect(ending.exitCode == 0, "\(ending)")
          #expect(ending.output.hasPrefix(steps.joined(separator: "\n")), "\(ending)")
          #expect(ending.output.hasSuffix(" migrations\n"), "\(ending)")
        }
        finish.continuation.finish()
        try await holder.value
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
          server.errors.contains("missing function credits/settle; run `mockupd migrate`"),
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

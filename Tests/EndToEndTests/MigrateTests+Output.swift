import Foundation
import Glibc
import MockupSchema
import Postgres
import TestSupport
import Testing

// The output of a migration while it runs: steps, warnings, and sessions that hold it up.

extension MigrateTests {
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
        let finished = Flag()
        let holder = Task {
          defer { locked.continuation.finish() }
          try await pool.withTransaction { transaction throws(PostgresError) in
            let process = try await transaction.query(
              """
              SELECT pg_backend_pid()
              FROM pg_advisory_xact_lock(hashtextextended('schema_migrations mockupd', 0))
              """
            ) { row throws(PostgresError) in try row.decode(Int32.self, at: 0) }
            locked.continuation.yield(process.first ?? 0)
            try? await finished.wait()
          }
        }
        var processes = locked.stream.makeAsyncIterator()
        let process = try #require(await processes.next())
        try await withTemporaryFolder { folder in
          let program = try Program.mockupd.start(
            ["migrate"] + arguments, environment: ["MOCKUPD_DATABASE_URL": database.url],
            folder: folder)
          try await body(program, process) {
            finished.set()
            try await holder.value
          }
        }
        finished.set()
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

  /// Runs a closure with the initial schema and a row in it of which later migrations warn.
  private static func withOldEntry(
    _ body: (PostgresConfiguration) async throws -> Void
  ) async throws {
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
      try await body(database)
    }
  }

  @Test func `warnings of migrations are printed and notices are not`() async throws {
    try await Self.withOldEntry { database in
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
    try await Self.withOldEntry { database in
      try await database.withPool { pool in
        let (locked, finished) = (Flag(), Flag())
        let holder = Task {
          try await pool.withTransaction { transaction throws(PostgresError) in
            defer { locked.set() }
            // Migration 010 is the first one after 007 that needs a lock on this table.
            try await transaction.execute(
              Statement("LOCK TABLE auth.users IN ROW EXCLUSIVE MODE"))
            locked.set()
            try? await finished.wait()
          }
        }
        try await locked.wait()
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
          try await program.waitForErrors("WARNING: existing rows of ")
          #expect(program.knownEnding == nil)
          // Nothing is committed yet.
          let status = try await Self.mockupd(["migrate", "--status"], database)
          #expect(status.output.contains("pending 008_ledger\n"), "\(status)")

          finished.set()
          let ending = await program.ending()
          #expect(ending.exitCode == 0, "\(ending)")
          #expect(ending.output.hasPrefix(steps.joined(separator: "\n")), "\(ending)")
          #expect(ending.output.hasSuffix(" migrations\n"), "\(ending)")
        }
        finished.set()
        try await holder.value
      }
    }
  }
}

import Foundation
import Glibc
import MockupClient
import Postgres
import TTRPCServices
import TestSupport
import Testing

/// The programs behind pgbouncer, whose Debian version does not track prepared statements.
@Suite struct PoolerTests {
  private static func client<Value>(
    _ server: RunningServer, _ body: (MockupClient) async throws -> Value
  ) async throws -> Value {
    try await MockupClient.withConnection(to: .unixSocket(path: server.socket), body)
  }

  /// Spends credits through several servers with concurrent callers; expects each call to succeed.
  private static func spend(_ user: UUID, by servers: [RunningServer]) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for server in servers {
        for _ in 0..<4 {
          group.addTask {
            try await client(server) { client in
              for _ in 0..<10 {
                let id = UUID()
                #expect(try await client.credits.reserve(for: user, credits: 2, id: id).success)
                _ = try await client.credits.commit(id, of: user)
                _ = try await client.credits.usage(of: user)
                for try await _ in client.scenes.templates(seenBy: user) {}
              }
            }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test(arguments: Pgbouncer.Mode.withTransactions)
  func `servers and callers share a pooler and every call succeeds`(
    mode: Pgbouncer.Mode
  ) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10_000)
      // In transaction mode there are fewer sessions than connections, so that they are shared.
      let size = mode == .transaction ? 3 : 20
      try await Pgbouncer.with(before: database.service, mode: mode, size: size) { pooled in
        try await withTemporaryFolder { folder in
          let servers = [
            try await RunningServer.start(
              on: pooled, socket: "\(folder)/1", folder: folder),
            try await RunningServer.start(
              on: pooled, socket: "\(folder)/2", folder: folder),
          ]
          try await Self.spend(user, by: servers)
          for server in servers {
            let ending = await server.stop()
            #expect(ending.exitCode == 0, "\(ending)")
            #expect(!ending.errors.contains("incident"), "\(ending)")
            #expect(ending.errors.contains("database.listenerUrl"), "\(ending)")
          }
        }
        // The servers leave no state in the sessions; their settings are local to transactions.
        let left = try await pooled.withPool { pool in
          try await pool.query("SELECT name FROM pg_prepared_statements") {
            row throws(PostgresError) in try row.decode(String.self, at: 0)
          }
        }
        #expect(left.isEmpty)
      }
      let usage = try await database.numbers(
        "SELECT sum(credits) FROM public.mockup_credit_usage")
      #expect(usage == [2 * 10 * 4 * 2])
      #expect(try await database.discrepancies() == [])
    }
  }

  @Test func `a server does not change the settings of pooler sessions`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      try await Pgbouncer.with(before: database.service, mode: .transaction, size: 1) { pooled in
        try await withTemporaryFolder { folder in
          let server = try await RunningServer.start(on: pooled, folder: folder)
          try await Self.client(server) { client in
            _ = try await client.credits.reserve(for: user, credits: 1)
          }
          var other = pooled
          other.statementTimeout = nil
          let timeout = try await other.withPool { pool in
            try await pool.query("SELECT current_setting('statement_timeout')") {
              row throws(PostgresError) in try row.decode(String.self, at: 0)
            }
          }
          #expect(timeout == ["0"])
          let ending = await server.stop()
          #expect(ending.exitCode == 0, "\(ending)")
        }
      }
    }
  }

  @Test func `a retried statement behind a pooler keeps its settings`() async throws {
    try await MigratedDatabase.with { database in
      try await Pgbouncer.with(before: database.service, mode: .transaction, size: 1) { pooled in
        var configuration = pooled
        configuration.statementTimeout = .seconds(77)
        try await configuration.withPool { pool in
          // The error code of a stale plan, after which the statement is retried.
          let error = await #expect(throws: PostgresError.self) {
            try await pool.execute(
              """
              DO $$ BEGIN
                RAISE EXCEPTION 'the limit is %', current_setting('statement_timeout')
                  USING ERRCODE = 'datatype_mismatch';
              END $$
              """)
          }
          #expect(error?.report.contains("the limit is 77s") == true, "\(error?.report ?? "none")")
        }
      }
    }
  }

  @Test func `a statement behind a pooler has the statement timeout of the server`() async throws {
    try await MigratedDatabase.with { database in
      try await Pgbouncer.with(before: database.service, mode: .transaction, size: 1) { pooled in
        var configuration = pooled
        configuration.statementTimeout = .milliseconds(100)
        try await configuration.withPool { pool in
          let error = await #expect(throws: PostgresError.self) {
            try await pool.execute("SELECT pg_sleep(60)")
          }
          #expect(error?.code == .timedOut)
          let inTransaction = await #expect(throws: PostgresError.self) {
            try await pool.withTransaction { transaction throws(PostgresError) in
              try await transaction.execute("SELECT pg_sleep(60)")
            }
          }
          #expect(inTransaction?.code == .timedOut)
        }
      }
    }
  }

  @Test func `in statement mode the server works, and the migrator reports the reason`()
    async throws
  {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 1000)
      try await Pgbouncer.with(before: database.service, mode: .statement, size: 3) { pooled in
        try await withTemporaryFolder { folder in
          let server = try await RunningServer.start(on: pooled, folder: folder)
          try await Self.spend(user, by: [server])
          try await Self.client(server) { client in
            let id = UUID()
            _ = try await client.credits.reserve(for: user, credits: 3, id: id)
            _ = try await client.credits.dispatch(id, of: user)
            _ = try await client.credits.commit(id, of: user, credits: 2)
            _ = try await client.admin.setBudget(of: user, annual: 2000)
          }
          let ending = await server.stop()
          #expect(ending.exitCode == 0 && !ending.errors.contains("incident"), "\(ending)")
        }
      }
      #expect(try await database.discrepancies() == [])
      try await Pgbouncer.with(before: database.owner, mode: .statement, size: 3) { pooled in
        let ending = try await Program.mockupd.run(["migrate", "--database-url", pooled.url])
        #expect(ending.exitCode == 1)
        #expect(ending.errors.contains("transaction blocks not allowed"), "\(ending)")
      }
    }
  }

  @Test(arguments: Pgbouncer.Mode.withTransactions)
  func `a watch sees changes through a pooler`(mode: Pgbouncer.Mode) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser()
      try await Pgbouncer.with(before: database.service, mode: mode, size: 10) { pooled in
        try await withTemporaryFolder { folder in
          let server = try await RunningServer.start(on: pooled, folder: folder)
          try await Self.client(server) { client in
            var watch = client.mockups.watch(of: user, startsWithCurrent: true)
              .makeAsyncIterator()
            // Skips the first event; there are no mockups yet.
            _ = try await watch.next()
            let made = UUID()
            let inserting = Task {
              try await database.owner.run(
                """
                WITH asset AS (INSERT INTO assets (user_id) VALUES ('\(user)') RETURNING id)
                INSERT INTO mockups (id, user_id, asset_id, scene, file_url, file_key)
                SELECT '\(made)', '\(user)', id, 'bedroom', '', '' FROM asset
                """)
            }
            while let event = try await watch.next() {
              if case .changed(let mockup) = event.change, mockup.mockupID == made.wireText {
                break
              }
            }
            try await inserting.value
          }
          let ending = await server.stop()
          #expect(ending.exitCode == 0, "\(ending)")
        }
      }
    }
  }

  @Test(arguments: Pgbouncer.Mode.withTransactions)
  func `concurrent migrations through a pooler apply each migration once`(
    mode: Pgbouncer.Mode
  ) async throws {
    try await MigratedDatabase.withoutSchema { database in
      try await Pgbouncer.with(before: database.owner, mode: mode, size: 3) { pooled in
        let endings = try await withThrowingTaskGroup(of: Program.Ending.self) { group in
          for _ in 0..<2 {
            group.addTask {
              try await Program.mockupd.run(["migrate", "--database-url", pooled.url])
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(endings.allSatisfy { $0.exitCode == 0 }, "\(endings)")
        let applied = endings.flatMap { $0.output.split(separator: "\n") }
          .filter { $0.hasPrefix("applying ") }
        #expect(Set(applied).count == applied.count)
        let recorded = try await database.numbers(
          """
          SELECT (SELECT count(*) FROM mockupd.schema_migrations)
            + (SELECT count(*) FROM mockupd.repeatable_migrations)
          """)
        #expect(recorded == [Int64(applied.count)])
      }
      let locks = try await database.numbers(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
          + "(SELECT oid FROM pg_database WHERE datname = current_database())")
      #expect(locks == [0])
    }
  }
}

/// A pgbouncer of the test's own.
enum Pgbouncer {
  enum Mode: String, Sendable {
    case session
    case transaction
    case statement

    /// The modes that do not forbid transactions.
    static let withTransactions: [Mode] = [.session, .transaction]
  }

  /// Starts pgbouncer in front of a database server, runs a closure, and stops pgbouncer.
  ///
  /// - Parameters:
  ///   - mode: The pool mode.
  ///   - size: The number of server sessions for each pair of login and database.
  ///   - body: Receives the configuration for connections through pgbouncer.
  static func with<Value>(
    before database: PostgresConfiguration, mode: Mode, size: Int,
    _ body: (PostgresConfiguration) async throws -> Value
  ) async throws -> Value {
    try await withTemporaryFolder { folder in
      let components = try #require(URLComponents(string: database.url))
      let items = components.queryItems ?? []
      let host = try #require(items.first { $0.name == "host" }?.value)
      let user = try #require(items.first { $0.name == "user" }?.value)
      let own = "\(folder)/pgbouncer"
      try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
      try Data("\"\(user)\" \"\"\n".utf8).write(to: URL(filePath: "\(own)/users"))
      try Data(
        """
        [databases]
        * = host=\(host)
        [pgbouncer]
        listen_addr =
        unix_socket_dir = \(own)
        auth_type = trust
        auth_file = \(own)/users
        pool_mode = \(mode.rawValue)
        default_pool_size = \(size)
        max_client_conn = 200
        """.utf8
      ).write(to: URL(filePath: "\(own)/pgbouncer.ini"))
      // pgbouncer refuses to run as root.
      let start = """
        if [ "$(id -u)" != 0 ]; then exec "$@"; fi
        chown -R postgres "\(own)"
        exec setpriv --reuid postgres --regid postgres --init-groups \
          --inh-caps +dac_read_search --ambient-caps +dac_read_search "$@"
        """
      let program = try RunningProgram(
        URL(filePath: "/bin/sh"),
        ["-c", start, "sh", "/usr/sbin/pgbouncer", "\(own)/pgbouncer.ini"], environment: [:],
        folder: URL(filePath: folder))
      var pooled = database
      var changed = components
      changed.queryItems = [
        URLQueryItem(name: "host", value: own), URLQueryItem(name: "port", value: "6432"),
        URLQueryItem(name: "user", value: user),
      ]
      pooled.url = try #require(changed.string)
      let result: Result<Value, any Error>
      do {
        try await program.waitForErrors("process up")
        result = .success(try await body(pooled))
      } catch {
        result = .failure(error)
      }
      program.signal(SIGTERM)
      _ = await program.ending()
      return try result.get()
    }
  }
}

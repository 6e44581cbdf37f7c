import Foundation
import Glibc
import Postgres
import TestSupport

/// A PostgreSQL server of the test's own, which the test can stop, start, pause and kill.
struct PrivatePostgres {
  private static let script = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "scripts/postgres")

  private let folder: String

  /// The folder of its socket, which libpq takes for a host.
  var host: String { "\(folder)/postgres" }

  /// The configuration for connections to its database `postgres`, as superuser.
  let database: PostgresConfiguration

  /// Starts a server, runs a closure with it, and removes it.
  ///
  /// - Parameter isMigrated: True if the database `postgres` gets the schema.
  static func with<Value>(
    isMigrated: Bool = true, _ body: (PrivatePostgres) async throws -> Value
  ) async throws -> Value {
    try await withTemporaryFolder { folder in
      let postgres = PrivatePostgres(folder: folder)
      let result: Result<Value, any Error>
      do {
        try await postgres.start()
        if isMigrated { try await postgres.migrate() }
        result = .success(try await body(postgres))
      } catch {
        result = .failure(error)
      }
      try postgres.resume()
      try await postgres.stop()
      return try result.get()
    }
  }

  private init(folder: String) {
    self.folder = folder
    database = Self.configuration(of: "postgres", folder)
  }

  private static func configuration(of name: String, _ folder: String) -> PostgresConfiguration {
    PostgresConfiguration(
      url: "postgresql:///\(name)?host=\(folder)/postgres&user=postgres",
      applicationName: "mockupd-tests")
  }

  /// The configuration for connections to a database that no test changes.
  var maintenance: PostgresConfiguration { Self.configuration(of: "template1", folder) }

  /// Creates another database and returns the configuration for connections to it.
  func makeDatabase(_ name: String) async throws -> PostgresConfiguration {
    try await database.run("CREATE DATABASE \(name)")
    return Self.configuration(of: name, folder)
  }

  /// Suspends all of its processes, as `docker pause` does.
  func pause() throws {
    try signal(SIGSTOP)
  }

  /// Resumes the suspended processes.
  func resume() throws {
    try signal(SIGCONT)
  }

  private func signal(_ signal: Int32) throws {
    let file = "\(folder)/postgres/data/postmaster.pid"
    guard let text = try? String(contentsOfFile: file, encoding: .utf8),
      let line = text.split(separator: "\n").first, let postmaster = Int32(line)
    else { return }
    // The postmaster comes first, so that it starts no more processes.
    Glibc.kill(postmaster, signal)
    for process in try Self.children(of: postmaster) { Glibc.kill(process, signal) }
  }

  /// Starts it, with more variables in its environment.
  func start(environment: [String: String] = [:]) async throws {
    try await run("start", environment: environment)
  }

  func stop() async throws { try await run("stop") }

  /// Makes this standby the primary.
  func promote() async throws { try await run("promote") }

  /// Runs a closure with a standby of this server, for which commits wait, and removes the standby.
  ///
  /// The standby itself waits for none once it is promoted.
  func withSynchronousStandby<Value>(
    _ body: (PrivatePostgres) async throws -> Value
  ) async throws -> Value {
    try await withTemporaryFolder { folder in
      let standby = PrivatePostgres(folder: folder)
      let result: Result<Value, any Error>
      do {
        try await standby.run("standby", self.folder)
        // Set when the standby has been copied, so that it does not get the setting.
        try await database.run("ALTER SYSTEM SET synchronous_standby_names = '*'")
        try await database.run("SELECT pg_reload_conf()")
        try await eventually("the standby is synchronous") {
          try await standbys(in: "sync") == 1
        }
        result = .success(try await body(standby))
      } catch {
        result = .failure(error)
      }
      try await standby.stop()
      return try result.get()
    }
  }

  /// Returns the number of standbys in a state of synchronization.
  private func standbys(in state: String) async throws -> Int64 {
    try await database.withPool { pool in
      try await pool.query(
        "SELECT count(*) FROM pg_stat_replication WHERE sync_state = $1", [state]
      ) { row throws(PostgresError) in
        try row.decode(Int64.self, at: 0)
      }
    }.first ?? 0
  }

  /// Returns the discrepancies that the verifier finds.
  func discrepancies() async throws -> [String] {
    try await database.withPool { pool in
      try await pool.query("SELECT discrepancy FROM mockupd.verify_counters()") {
        row throws(PostgresError) in
        try row.decode(String.self, at: 0)
      }
    }
  }

  /// Kills the postmaster, as a crash does, and returns when all of its processes have ended.
  func kill() async throws {
    let file = "\(folder)/postgres/data/postmaster.pid"
    let text = try String(contentsOfFile: file, encoding: .utf8)
    guard let postmaster = text.split(separator: "\n").first.flatMap({ Int32($0) }) else {
      throw Program.Failure(description: "no process id in \(text)")
    }
    // The postmaster stops first, so that it starts no more processes.
    Glibc.kill(postmaster, SIGSTOP)
    let children = try Self.children(of: postmaster)
    Glibc.kill(postmaster, SIGKILL)
    try await eventually("PostgreSQL's processes end") {
      ([postmaster] + children).allSatisfy { !Self.isRunning($0) }
    }
    // PostgreSQL takes an unreaped postmaster for the live owner of these lock files.
    for lock in [file, "\(folder)/postgres/.s.PGSQL.5432.lock"] {
      try FileManager.default.removeItem(atPath: lock)
    }
  }

  private static func children(of parent: Int32) throws -> [Int32] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter {
      status(of: $0)?.contains("\nPPid:\t\(parent)\n") == true
    }
  }

  private static func isRunning(_ process: Int32) -> Bool {
    guard let status = status(of: process) else { return false }
    return !status.contains("\nState:\tZ")
  }

  private static func status(of process: Int32) -> String? {
    try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
  }

  /// Creates a user with an annual budget.
  func makeUser(_ id: UUID, annualBudget: Int) async throws {
    try await database.run(
      """
      WITH made AS (INSERT INTO auth.users (id) VALUES ('\(id)') RETURNING id)
      INSERT INTO public.user_settings (user_id, guardrails)
      SELECT id, '{"annual_mockup_budget": \(annualBudget)}' FROM made
      """)
  }

  private func migrate() async throws {
    let ending = try await Program.mockupd.run(["migrate", "--database-url", database.url])
    guard ending.exitCode == 0 else { throw Program.Failure(description: "\(ending)") }
  }

  private func run(_ command: String..., environment: [String: String] = [:]) async throws {
    let ending = try await RunningProgram(
      Self.script, ["--state", folder] + command, environment: environment,
      folder: URL(filePath: folder)
    ).ending()
    guard ending.exitCode == 0 else { throw Program.Failure(description: "\(ending)") }
  }
}

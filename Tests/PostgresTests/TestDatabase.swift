import FoundationEssentials
import Glibc
import TestSupport
import Testing

@testable import Postgres

/// A temporary database for one test, on the server that the environment names.
struct TestDatabase: Sendable {
  static let variable = "MOCKUPD_TEST_DATABASE_URL"

  struct ServerMissing: Error, CustomStringConvertible {
    var description: String {
      "\(variable) is not set; set it to the URL of a PostgreSQL 15 superuser, for example "
        + "postgresql://postgres@/postgres?host=/run/postgresql"
    }
  }

  static func serverConfiguration() throws -> PostgresConfiguration {
    guard let url = ProcessInfo.processInfo.environment[variable] else { throw ServerMissing() }
    var configuration = PostgresConfiguration(url: url, applicationName: "postgres-tests")
    configuration.connectTimeout = testTimeout
    return configuration
  }

  let name: String
  let configuration: PostgresConfiguration

  /// Runs a closure with a new database, and drops the database.
  static func with<Value>(_ body: (TestDatabase) async throws -> Value) async throws -> Value {
    let server = try serverConfiguration()
    let name = "test_" + UUID().uuidString.lowercased().filter { $0 != "-" }
    try await administer(server, "CREATE DATABASE \(name)")
    var configuration = server
    configuration.url = try url(server.url, of: name)
    let result: Result<Value, any Error>
    do {
      result = .success(
        try await body(TestDatabase(name: name, configuration: configuration))
      )
    } catch {
      result = .failure(error)
    }
    try await administer(server, "DROP DATABASE \(name) WITH (FORCE)")
    return try result.get()
  }

  /// Runs a closure with a connection to a new database.
  static func withConnection<Value>(
    _ configure: (inout PostgresConfiguration) -> Void = { _ in },
    onEvent: @escaping @Sendable (PoolEvent) -> Void = { _ in },
    _ body: (Connection) async throws -> Value
  ) async throws -> Value {
    try await with { database in
      try await database.withConnection(configure, onEvent: onEvent, body)
    }
  }

  /// Runs a closure with a connection, and closes the connection.
  func withConnection<Value>(
    _ configure: (inout PostgresConfiguration) -> Void = { _ in },
    onEvent: @escaping @Sendable (PoolEvent) -> Void = { _ in },
    _ body: (Connection) async throws -> Value
  ) async throws -> Value {
    var configuration = configuration
    configure(&configuration)
    let connection = try Connection(configuration: configuration, onEvent: onEvent)
    connection.start()
    let result: Result<Value, any Error>
    do { result = .success(try await body(connection)) } catch { result = .failure(error) }
    await connection.close()
    return try result.get()
  }

  /// Runs a closure with a statement that ends only when the gate is opened.
  ///
  /// - Parameter body: Receives the statement, and a closure that opens the gate for this and all
  ///   later executions.
  func withGate<Value>(
    _ body: (_ wait: Statement, _ open: () async throws -> Void) async throws -> Value
  ) async throws -> Value {
    try await withConnection { lockHolder in
      try await lockHolder.execute("SELECT pg_advisory_lock(1)")
      let wait = Statement("SELECT pg_advisory_lock_shared(1)", isReadOnly: true)
      return try await body(wait) {
        try await lockHolder.execute("SELECT pg_advisory_unlock(1)")
      }
    }
  }

  /// Allows or refuses new connections to the database.
  func allowConnections(_ isAllowed: Bool) async throws {
    try await Self.administer(
      try Self.serverConfiguration(), "ALTER DATABASE \(name) ALLOW_CONNECTIONS \(isAllowed)")
  }

  /// Returns the number of other sessions that are executing a statement that contains a text.
  func running(_ text: String, on observer: Connection) async throws -> Int {
    try await observer.column(
      """
      SELECT count(*) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND state = 'active' AND query LIKE $1
      """,
      ["%\(text)%"]
    )[0]
  }

  private static func administer(
    _ configuration: PostgresConfiguration,
    _ sql: String
  ) async throws {
    let connection = try Connection(configuration: configuration)
    connection.start()
    let result = await Task { try await connection.execute(Statement(sql)) }.result
    await connection.close()
    _ = try result.get()
  }

  /// Returns a connection string in libpq's `keyword=value` format for another database of the
  /// server.
  private static func url(_ url: String, of name: String) throws -> String {
    var string = try ConnectionString(parsing: url)
    string.set("dbname", name)
    return string.values.map { key, value in
      let escaped = value.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
      return "\(key)='\(escaped)'"
    }.joined(separator: " ")
  }
}

extension Statement {
  /// A statement that takes ten minutes, unless it is cancelled: it only reads.
  static let sleep = Statement("SELECT pg_sleep(600)", isReadOnly: true)
}

extension StatementExecutor {
  /// Executes a statement, and returns the first column of every row.
  func column<Value: PostgresDecodable>(
    _ statement: Statement,
    _ parameters: Parameters = Parameters(),
    as type: Value.Type = Value.self
  ) async throws(PostgresError) -> [Value] {
    try await query(statement, parameters) { row throws(PostgresError) in
      try row.decode(Value.self, at: 0)
    }
  }
}

/// Returns the error that a closure throws, and throws an error of its own if the closure succeeds.
func postgresError<Value>(
  _ body: () async throws -> Value
) async throws -> PostgresError {
  do {
    _ = try await body()
  } catch let error as PostgresError {
    return error
  }
  throw Missing()
}

private struct Missing: Error, CustomStringConvertible {
  var description: String { "the closure succeeded, but an error was expected" }
}

import Foundation
import Postgres
import TestSupport

/// A PostgreSQL of a test's own, to be stopped and started.
struct PrivatePostgres {
  private static let script = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "scripts/postgres")

  private let folder: String

  /// How to reach it.
  let database: PostgresConfiguration

  /// Runs a closure with a running one that has the schema, and removes it.
  static func with<Value>(_ body: (PrivatePostgres) async throws -> Value) async throws -> Value {
    try await withTemporaryFolder { folder in
      let postgres = PrivatePostgres(folder: folder)
      let result: Result<Value, any Error>
      do {
        try await postgres.start()
        try await postgres.migrate()
        result = .success(try await body(postgres))
      } catch {
        result = .failure(error)
      }
      try await postgres.stop()
      return try result.get()
    }
  }

  private init(folder: String) {
    self.folder = folder
    database = PostgresConfiguration(
      url: "postgresql:///postgres?host=\(folder)/postgres&user=postgres",
      applicationName: "mockupd-tests")
  }

  func start() async throws { try await run("start") }

  func stop() async throws { try await run("stop") }

  private func migrate() async throws {
    let ending = try await Program.mockupd.run(["migrate", "--database-url", database.url])
    guard ending.exitCode == 0 else { throw Program.Failure(description: "\(ending)") }
  }

  private func run(_ command: String) async throws {
    let ending = try await RunningProgram(
      Self.script, ["--state", folder, command], environment: [:], folder: URL(filePath: folder)
    ).ending()
    guard ending.exitCode == 0 else { throw Program.Failure(description: "\(ending)") }
  }
}

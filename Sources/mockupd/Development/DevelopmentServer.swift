internal import Foundation
internal import MockupDatabase
internal import MockupSchema
internal import Postgres
internal import StandardStreams

/// The database and the addresses of `mockupd dev`, from their creation to their removal.
struct DevelopmentServer: Sendable {
  private static let database = "mockups"
  private static let superuser = "postgres"
  private static let login = "mockupd"
  private static let connectTimeout: Duration = .seconds(60)

  let folder: DevelopmentFolder
  private let cluster: TemporaryCluster

  init(in folder: DevelopmentFolder) {
    self.folder = folder
    cluster = TemporaryCluster(in: folder.path)
  }

  /// Throws an error if the paths of the sockets would be too long.
  func checkPath() throws { try cluster.checkPath() }

  var socket: String { "\(folder.path)/mockupd.sock" }
  /// The URL of the database for the login of the server.
  var databaseURL: String { cluster.url(of: Self.database, user: Self.login) }
  /// The URL of the database for its owner.
  var ownerURL: String { cluster.url(of: Self.database, user: Self.superuser) }

  /// Creates and fills the database.
  ///
  /// - Parameters:
  ///   - end: The time at which the sample ends.
  ///   - report: Receives each step when it begins.
  func prepare(
    _ programs: PostgresPrograms, end: Date, report: (String) async -> Void
  ) async throws -> (sample: SampleLedger, stuck: SampleLedger.Stuck) {
    await report("starting PostgreSQL (\(programs.folder)) in \(folder.path)")
    try await cluster.create(programs)
    try Task.checkCancellation()
    try await cluster.start(programs)
    try Task.checkCancellation()
    await report("creating the schema")
    try await withPool(cluster.url(of: "postgres", user: Self.superuser)) { pool in
      _ = try await pool.execute(Statement("CREATE DATABASE \(Self.database)"))
    }
    let owner = PostgresConfiguration(url: ownerURL, applicationName: "mockupd dev")
    _ = try await Schema.migrator(configuration: owner).migrate()
    try Task.checkCancellation()
    return try await withPool(ownerURL) { owner in
      _ = try await owner.execute(Statement("CREATE ROLE \(Self.login) LOGIN"))
      _ = try await owner.execute(Statement("GRANT mockupd_service TO \(Self.login)"))
      return try await withPool(databaseURL) { pool in
        await report("making a year of sample data")
        let sample = SampleLedger(pool: pool, owner: owner, end: end)
        return (sample, try await sample.make())
      }
    }
  }

  /// Stops PostgreSQL and removes everything.
  func remove() async throws {
    await cluster.remove()
    try folder.remove()
  }

  private func withPool<Value>(
    _ url: String, _ body: (Pool) async throws -> Value
  ) async throws -> Value {
    var configuration = PostgresConfiguration(url: url, applicationName: "mockupd dev")
    configuration.searchPath = "pg_catalog, pg_temp"
    configuration.connectionCount = 1
    let pool = try Pool(configuration: configuration)
    let running = Task { await pool.run() }
    let result: Result<Value, any Error>
    do {
      try await pool.waitUntilConnected(timeout: Self.connectTimeout)
      result = .success(try await body(pool))
    } catch {
      result = .failure(error)
    }
    pool.shutdown()
    await running.value
    return try result.get()
  }
}

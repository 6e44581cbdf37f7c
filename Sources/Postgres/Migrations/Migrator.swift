import FoundationEssentials

/// Brings a database from one shape to the next, and keeps a record of it in the database.
///
/// The record is the table `schema_migrations(version, name, checksum, applied_at)` in a schema of
/// your choice; both are made when missing. Each migration is a transaction together with its
/// record. Of several migrators at once one works, and the others wait and then find nothing to do.
/// Each call makes a connection of its own, without a statement timeout, and with
/// `search_path = pg_catalog, pg_temp`: names of a migration's own objects have to be qualified.
///
/// A login that owned the record, or its schema, could run its own code with the rights of the login that
/// migrates. Only the login itself and superusers may own them.
public struct Migrator: Sendable {
  private let configuration: PostgresConfiguration
  private let plan: MigrationPlan
  private let statements: MigratorStatements
  private let onEvent: @Sendable (PoolEvent) -> Void

  /// Checks the list.
  ///
  /// - Parameters:
  ///   - configuration: How to reach the database; its statement timeout is not used.
  ///   - schema: The schema of the record; any name, it is quoted.
  ///   - migrations: All there are, in any order.
  ///   - onEvent: Runs on the connection's thread; of interest are the notices.
  /// - Throws: ``MigrationError`` with ``MigrationError/Code/invalidList``.
  public init(
    configuration: PostgresConfiguration,
    schema: String,
    migrations: [Migration],
    onEvent: @escaping @Sendable (PoolEvent) -> Void = { _ in }
  ) throws(MigrationError) {
    self.configuration = configuration
    self.onEvent = onEvent
    plan = try MigrationPlan(migrations)
    statements = MigratorStatements(schema: schema)
  }

  /// Applies what is pending, in order, and returns it.
  ///
  /// - Parameter version: The last to be applied; nil for all.
  /// - Throws: ``MigrationError``. What was applied before a failure stays applied.
  public func migrate(upTo version: Int? = nil) async throws(MigrationError) -> [Migration] {
    try await withConnection { connection throws(MigrationError) in
      _ = try await reporting { () throws(PostgresError) in
        try await connection.execute(statements.lock, [statements.schema])
      }
      let result = await Result(awaiting: { () throws(MigrationError) in
        try await requireOwnRecord(on: connection)
        return try await apply(upTo: version, on: connection)
      })
      // Should this fail, the lock goes with the connection.
      _ = try? await connection.execute(statements.unlock, [statements.schema])
      return try result.get()
    }
  }

  /// Tells what was applied and what is pending; changes nothing, also where no record exists yet.
  ///
  /// - Throws: ``MigrationError``, also where ``migrate(upTo:)`` would refuse to begin.
  public func status() async throws(MigrationError) -> MigrationStatus {
    try await withConnection { connection throws(MigrationError) in
      let applied = try await applied(on: connection)
      let pending = try await pending(after: applied, upTo: nil, on: connection)
      return MigrationStatus(applied: applied, pending: pending)
    }
  }

  private func apply(
    upTo version: Int?,
    on connection: Connection
  ) async throws(MigrationError) -> [Migration] {
    let applied = try await applied(on: connection)
    let pending = try await pending(after: applied, upTo: version, on: connection)
    guard !pending.isEmpty else { return [] }
    try await reporting { () throws(PostgresError) in
      try await connection.withTransaction { transaction throws(PostgresError) in
        try await transaction.runScript(statements.createRecord)
      }
    }
    for migration in pending { try await apply(migration, on: connection) }
    return pending
  }

  private func apply(
    _ migration: Migration,
    on connection: Connection
  ) async throws(MigrationError) {
    do {
      try await connection.withTransaction { transaction throws(PostgresError) in
        try await transaction.runScript(migration.sql)
        try await transaction.execute(
          statements.record,
          [migration.version, migration.name, migration.sql]
        )
      }
    } catch {
      throw MigrationError(
        .failed,
        "Migration \(migration.version) (\(migration.name)) failed",
        cause: error
      )
    }
  }

  private func requireOwnRecord(on connection: Connection) async throws(MigrationError) {
    let foreign = try await reporting { () throws(PostgresError) in
      try await connection.query(statements.foreignRecord, [statements.schema]) {
        row throws(PostgresError) in try row.decode(String.self, at: 0)
      }
    }
    if let first = foreign.first { throw MigrationError(.foreignRecord, first) }
  }

  private func applied(
    on connection: Connection
  ) async throws(MigrationError) -> [AppliedMigration] {
    try await reporting { () throws(PostgresError) in
      let exists = try await connection.query(
        statements.recordExists,
        [statements.qualifiedTable]
      ) { row throws(PostgresError) in
        try row.decode(Bool.self, at: 0)
      }
      guard exists == [true] else { return [] }
      return try await connection.query(statements.applied) { row throws(PostgresError) in
        AppliedMigration(
          version: try row.decode(at: 0),
          name: try row.decode(at: 1),
          checksum: try row.decode(at: 2),
          appliedAt: try row.decode(at: 3)
        )
      }
    }
  }

  private func pending(
    after applied: [AppliedMigration],
    upTo version: Int?,
    on connection: Connection
  ) async throws(MigrationError) -> [Migration] {
    let checksums = try await reporting { () throws(PostgresError) in
      try await connection.query(
        statements.checksums,
        [plan.migrations.map(\.sql)]
      ) { row throws(PostgresError) in
        try row.decode(String.self, at: 0)
      }
    }
    return try plan.pending(after: applied, checksums: checksums, upTo: version)
  }

  private func withConnection<Value>(
    _ body: (Connection) async throws(MigrationError) -> Value
  ) async throws(MigrationError) -> Value {
    var configuration = configuration
    configuration.statementTimeout = .zero
    configuration.searchPath = "pg_catalog, pg_temp"
    let connection: Connection
    do {
      connection = try Connection(configuration: configuration, onEvent: onEvent)
    } catch {
      throw MigrationError(.database, "The database cannot be reached", cause: error)
    }
    connection.start()
    let result = await Result(awaiting: { () throws(MigrationError) in try await body(connection) })
    await connection.close()
    return try result.get()
  }

  private func reporting<Value>(
    _ body: () async throws(PostgresError) -> Value
  ) async throws(MigrationError) -> Value {
    do {
      return try await body()
    } catch {
      throw MigrationError(.database, "The record of migrations cannot be used", cause: error)
    }
  }
}

extension Result {
  fileprivate init(awaiting body: () async throws(Failure) -> Success) async {
    do {
      self = .success(try await body())
    } catch {
      self = .failure(error)
    }
  }
}

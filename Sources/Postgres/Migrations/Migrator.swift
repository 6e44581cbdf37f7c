import FoundationEssentials

/// Brings a database from one shape to the next, and keeps a record of it in the database.
///
/// The record is the table `schema_migrations(version, name, checksum, applied_at)` in a schema of
/// your choice; both are made when missing. Each migration is one transaction, which takes a lock,
/// reads the record, runs the migration and records it. So of several migrators at once each applies
/// what the others have not, and a pooler that shares sessions between transactions does no harm.
/// Each call makes a connection of its own, without a statement timeout, and with
/// `search_path = pg_catalog, pg_temp`: names of a migration's own objects have to be qualified.
///
/// A login that owned the record, or its schema, could run its own code with the rights of the login that
/// migrates. Only the login itself and superusers may own them.
public struct Migrator: Sendable {
  private let configuration: PostgresConfiguration
  private let plan: MigrationPlan
  private let statements: MigratorStatements
  private let lockTimeout: Duration
  private let onEvent: @Sendable (MigrationEvent) -> Void
  /// The checksums of the plan's migrations, in their order. The server computes them, once.
  private let checksums = Locked<[String]?>(nil)

  /// Checks the list.
  ///
  /// - Parameters:
  ///   - configuration: How to reach the database; its statement timeout is not used.
  ///   - schema: The schema of the record; any name, it is quoted.
  ///   - migrations: All there are, in any order.
  ///   - lockTimeout: How long to wait for a lock that another session holds.
  ///   - onEvent: Runs on a connection's thread or on the task of ``migrate(upTo:)``, and should be
  ///     quick.
  /// - Throws: ``MigrationError`` with ``MigrationError/Code/invalidList``.
  public init(
    configuration: PostgresConfiguration,
    schema: String,
    migrations: [Migration],
    lockTimeout: Duration = .seconds(600),
    onEvent: @escaping @Sendable (MigrationEvent) -> Void = { _ in }
  ) throws(MigrationError) {
    self.configuration = configuration
    self.lockTimeout = lockTimeout
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
      let session = Locked<Int32?>(nil)
      let observer = Task { await observeLocks(of: session) }
      let result = await Result(awaiting: { () throws(MigrationError) in
        var applied: [Migration] = []
        while let migration = try await applyNext(upTo: version, on: connection, as: session) {
          applied.append(migration)
          onEvent(.applied(migration))
        }
        return applied
      })
      observer.cancel()
      await observer.value
      return try result.get()
    }
  }

  /// Tells what was applied and what is pending; changes nothing, also where no record exists yet.
  ///
  /// - Throws: ``MigrationError``, also where ``migrate(upTo:)`` would refuse to begin.
  public func status() async throws(MigrationError) -> MigrationStatus {
    try await withConnection { connection throws(MigrationError) in
      try await requireOwnRecord(on: connection)
      return try await status(on: connection)
    }
  }

  /// Tells the same over a connection that is there.
  ///
  /// - Throws: ``MigrationError``, as ``status()`` does.
  public func status(
    on connection: some StatementExecutor
  ) async throws(MigrationError) -> MigrationStatus {
    let applied = try await applied(on: connection)
    let pending = try await pending(after: applied, upTo: nil, on: connection)
    return MigrationStatus(applied: applied, pending: pending)
  }

  /// Applies the first pending migration, if there is one.
  private func applyNext(
    upTo version: Int?, on connection: Connection, as session: Locked<Int32?>
  ) async throws(MigrationError) -> Migration? {
    // What a failure is about: the record, until a migration begins.
    let underWay = Locked<Migration?>(nil)
    let refusal = Locked<MigrationError?>(nil)
    let applied: Migration?
    do {
      applied = try await connection.withTransaction { transaction throws(PostgresError) in
        let processID = try await transaction.query(statements.backendProcessID) {
          row throws(PostgresError) in try row.decode(Int32.self, at: 0)
        }
        session.withLock { $0 = processID.first }
        defer { session.withLock { $0 = nil } }
        try await transaction.execute(statements.setLockTimeout(lockTimeout))
        try await transaction.execute(statements.lock, [statements.schema])
        let pending: [Migration]
        do throws(MigrationError) {
          try await requireOwnRecord(on: transaction)
          pending = try await self.pending(
            after: try await self.applied(on: transaction), upTo: version, on: transaction)
        } catch {
          refusal.withLock { $0 = error }
          transaction.rollback()
          return nil
        }
        guard let migration = pending.first else { return nil }
        try await createRecord(on: transaction)
        underWay.withLock { $0 = migration }
        try await transaction.runScript(migration.sql)
        try await transaction.execute(
          statements.record, [migration.version, migration.name, migration.sql])
        return migration
      }
    } catch {
      if let refusal = refusal.withLock({ $0 }) { throw refusal }
      guard let migration = underWay.withLock({ $0 }) else { throw Self.recordError(error) }
      throw MigrationError(
        .failed, "Migration \(migration.version) (\(migration.name)) failed", cause: error)
    }
    if let refusal = refusal.withLock({ $0 }) { throw refusal }
    return applied
  }

  private func requireOwnRecord(on connection: some StatementExecutor) async throws(MigrationError)
  {
    let foreign = try await reporting { () throws(PostgresError) in
      try await connection.query(statements.foreignRecord, [statements.schema]) {
        row throws(PostgresError) in try row.decode(String.self, at: 0)
      }
    }
    if let first = foreign.first { throw MigrationError(.foreignRecord, first) }
  }

  private func createRecord(on transaction: Transaction) async throws(PostgresError) {
    guard try await !recordExists(on: transaction) else { return }
    try await transaction.runScript(statements.createRecord)
  }

  /// How long a lock is waited for in silence, and how often is looked whom a session waits for.
  private static let observationInterval: Duration = .seconds(1)

  /// Reports whom a session waits for, each time that others are in its way.
  private func observeLocks(of session: Locked<Int32?>) async {
    var connection: Connection?
    var reported: Set<Int32> = []
    while (try? await Task.sleep(for: Self.observationInterval)) != nil {
      guard let processID = session.withLock({ $0 }) else { continue }
      if connection == nil { connection = try? Connection(configuration: ownConfiguration) }
      connection?.start()
      let blocking = try? await connection?.query(statements.blockingSessions, [processID]) {
        row throws(PostgresError) in
        BlockingSession(
          processID: try row.decode(at: 0), applicationName: try row.decode(at: 1),
          user: try row.decode(at: 2), transactionStart: try row.decode(at: 3))
      }
      guard let blocking else { continue }
      let processes = Set(blocking.map(\.processID))
      if !processes.isSubset(of: reported) { onEvent(.waiting(for: blocking)) }
      reported = processes
    }
    await connection?.close()
  }

  private func recordExists(
    on connection: some StatementExecutor
  ) async throws(PostgresError) -> Bool {
    try await connection.query(statements.recordExists, [statements.qualifiedTable]) {
      row throws(PostgresError) in try row.decode(Bool.self, at: 0)
    } == [true]
  }

  private func applied(
    on connection: some StatementExecutor
  ) async throws(MigrationError) -> [AppliedMigration] {
    try await reporting { () throws(PostgresError) in
      guard try await recordExists(on: connection) else { return [] }
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
    on connection: some StatementExecutor
  ) async throws(MigrationError) -> [Migration] {
    try plan.pending(
      after: applied, checksums: try await checksums(on: connection), upTo: version)
  }

  private func checksums(
    on connection: some StatementExecutor
  ) async throws(MigrationError) -> [String] {
    if let known = checksums.withLock({ $0 }) { return known }
    let computed = try await reporting { () throws(PostgresError) in
      try await connection.query(
        statements.checksums,
        [plan.migrations.map(\.sql)]
      ) { row throws(PostgresError) in
        try row.decode(String.self, at: 0)
      }
    }
    checksums.withLock { $0 = computed }
    return computed
  }

  private var ownConfiguration: PostgresConfiguration {
    var configuration = configuration
    configuration.statementTimeout = .zero
    configuration.searchPath = "pg_catalog, pg_temp"
    return configuration
  }

  private func withConnection<Value>(
    _ body: (Connection) async throws(MigrationError) -> Value
  ) async throws(MigrationError) -> Value {
    let connection: Connection
    do {
      connection = try Connection(configuration: ownConfiguration) { event in
        if case .notice(let notice) = event { onEvent(.notice(notice)) }
      }
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
      throw Self.recordError(error)
    }
  }

  private static func recordError(_ error: PostgresError) -> MigrationError {
    MigrationError(.database, "The record of migrations cannot be used", cause: error)
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

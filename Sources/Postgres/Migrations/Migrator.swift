import FoundationEssentials
internal import NIOConcurrencyHelpers

/// Applies a program's migrations to a database, and records them in the database.
///
/// Each versioned migration is applied once, in the order of the versions. Then each repeatable
/// migration is applied whose text differs from the text last applied, in the order of the list.
/// The record consists of two tables, `schema_migrations(version, name, checksum, applied_at)` and
/// `repeatable_migrations(name, checksum, revision, applied_at)`, in a schema of your choice. The
/// schema and the tables are created if they do not exist.
///
/// All pending migrations are applied in one transaction, which first takes an advisory lock.
/// Concurrent migrators therefore run one after the other, no other session sees a half-migrated
/// database, and a pooler in transaction mode works. Each call opens a connection of its own,
/// without a statement timeout. Each migration starts with `search_path = pg_catalog, pg_temp`, so
/// it must qualify the names of its own objects. Other settings that a migration changes remain in
/// effect until the end of the transaction.
///
/// An object that a migration replaces keeps its owner. A role that owned the record, its schema,
/// or a function or view in that schema could therefore run code with the privileges of the role
/// that migrates. For this reason only that role and superusers may own the schema and its tables,
/// views and functions.
public struct Migrator: Sendable {
  private let configuration: PostgresConfiguration
  private let plan: MigrationPlan
  private let statements: MigratorStatements
  private let lockTimeout: Duration
  private let onEvent: @Sendable (MigrationEvent) -> Void
  /// The checksums of the plan, which the server computes once; nil until then.
  private let checksums = NIOLockedValueBox<MigrationPlan.Checksums?>(nil)

  /// Creates a migrator, and checks the lists.
  ///
  /// - Parameters:
  ///   - configuration: The address of the database; its statement timeout is not used.
  ///   - schema: The schema of the record, unquoted.
  ///   - migrations: All versioned migrations, in any order.
  ///   - repeatable: All repeatable migrations.
  ///   - lockTimeout: The maximum time to wait for a lock that another session holds.
  ///   - onEvent: Receives events. Runs on a connection's thread or on the task of
  ///     ``migrate(upTo:)`` and must not block.
  /// - Throws: ``MigrationError`` with ``MigrationError/Code/invalidList``.
  public init(
    configuration: PostgresConfiguration,
    schema: String,
    migrations: [Migration],
    repeatable: RepeatableMigrations = .none,
    lockTimeout: Duration = .seconds(600),
    onEvent: @escaping @Sendable (MigrationEvent) -> Void = { _ in }
  ) throws(MigrationError) {
    self.configuration = configuration
    self.lockTimeout = lockTimeout
    self.onEvent = onEvent
    plan = try MigrationPlan(migrations, repeatable)
    statements = MigratorStatements(schema: schema)
  }

  /// Returns the statements that create the record, unless it exists.
  ///
  /// - Parameter schema: The schema of the record, unquoted.
  public static func recordDefinition(schema: String) -> String {
    MigratorStatements(schema: schema).createRecord
  }

  /// Applies the pending migrations in one transaction, and returns them.
  ///
  /// - Parameter version: The last version to apply; repeatable migrations are not applied then,
  ///   because they require the latest version. Nil for all migrations.
  /// - Returns: The migrations that were applied.
  /// - Throws: ``MigrationError``; then nothing was changed, except if its code is
  ///   ``MigrationError/Code/uncertain``.
  @discardableResult
  public func migrate(upTo version: Int? = nil) async throws(MigrationError) -> MigrationSet {
    try await withConnection { connection throws(MigrationError) in
      let session = NIOLockedValueBox<Int32?>(nil)
      let observer = Task { await observeLocks(of: session) }
      let result = await Result(awaiting: { () throws(MigrationError) in
        try await applyPending(upTo: version, on: connection, as: session)
      })
      observer.cancel()
      await observer.value
      return try result.get()
    }
  }

  /// Reports the applied and the pending migrations, without changing the database.
  ///
  /// - Throws: ``MigrationError``, also for every reason for which ``migrate(upTo:)`` would not
  ///   start.
  public func status() async throws(MigrationError) -> MigrationStatus {
    try await withConnection { connection throws(MigrationError) in
      try await requireOwnSchema(on: connection)
      return try await status(on: connection)
    }
  }

  /// Reports the applied and the pending migrations over an existing connection.
  ///
  /// Unlike ``status()``, it does not check the owners of the record.
  ///
  /// - Throws: ``MigrationError``, as ``status()`` does.
  public func status(
    on connection: some StatementExecutor
  ) async throws(MigrationError) -> MigrationStatus {
    try await status(upTo: nil, on: connection)
  }

  /// The step of a transaction that applies migrations.
  private enum Step {
    case usingRecord
    /// The SQL of a migration is run; the text names it.
    case applying(String)
    case committing
  }

  private func applyPending(
    upTo version: Int?, on connection: Connection, as session: NIOLockedValueBox<Int32?>
  ) async throws(MigrationError) -> MigrationSet {
    let step = NIOLockedValueBox(Step.usingRecord)
    let refusal = NIOLockedValueBox<MigrationError?>(nil)
    let applied: MigrationSet?
    do {
      applied = try await connection.withTransaction { transaction throws(PostgresError) in
        let processID = try await transaction.query(statements.backendProcessID) {
          row throws(PostgresError) in try row.decode(Int32.self, at: 0)
        }
        session.withLockedValue { $0 = processID.first }
        defer { session.withLockedValue { $0 = nil } }
        try await transaction.execute(statements.setLockTimeout(lockTimeout))
        try await transaction.execute(statements.lock, [statements.schema])
        let pending: MigrationSet
        do throws(MigrationError) {
          try await requireOwnSchema(on: transaction)
          pending = try await status(upTo: version, on: transaction).pending
        } catch {
          refusal.withLockedValue { $0 = error }
          transaction.rollback()
          return nil
        }
        guard !pending.isEmpty else { return pending }
        try await createRecord(on: transaction)
        for migration in pending.versioned {
          step.withLockedValue { $0 = .applying("\(migration.version) (\(migration.name))") }
          onEvent(.applying(migration))
          try await transaction.execute(statements.setSearchPath)
          try await transaction.runScript(migration.sql)
          try await transaction.execute(
            statements.recordVersioned, [migration.version, migration.name, migration.sql])
        }
        for migration in pending.repeatable {
          step.withLockedValue { $0 = .applying(migration.name) }
          onEvent(.applyingRepeatable(migration))
          try await transaction.execute(statements.setSearchPath)
          try await transaction.runScript(migration.sql)
          try await transaction.execute(
            statements.recordRepeatable, [migration.name, plan.repeatable.revision, migration.sql])
        }
        if version == nil {
          step.withLockedValue { $0 = .usingRecord }
          try await transaction.execute(
            statements.forgetRepeatable, [plan.repeatable.migrations.map(\.name)])
        }
        step.withLockedValue { $0 = .committing }
        return pending
      }
    } catch {
      if let refusal = refusal.withLockedValue({ $0 }) { throw refusal }
      switch step.withLockedValue({ $0 }) {
      case .usingRecord:
        throw Self.recordError(error)
      case .applying(let name):
        throw MigrationError(.failed, "migration \(name) failed", cause: error)
      case .committing where [.connectionLost, .replicationUncertain].contains(error.code):
        throw MigrationError(
          .uncertain,
          "the outcome of the commit is unknown: the migrations may have been applied",
          cause: error)
      case .committing:
        throw MigrationError(.failed, "the commit of the migrations failed", cause: error)
      }
    }
    if let refusal = refusal.withLockedValue({ $0 }) { throw refusal }
    guard let applied else { preconditionFailure("the transaction returned no migrations") }
    return applied
  }

  private func requireOwnSchema(
    on connection: some StatementExecutor
  ) async throws(MigrationError) {
    let foreign = try await reporting { () throws(PostgresError) in
      try await connection.query(statements.foreignObjects, [statements.schema]) {
        row throws(PostgresError) in try row.decode(String.self, at: 0)
      }
    }
    if let first = foreign.first { throw MigrationError(.foreignObject, first) }
  }

  private func createRecord(on transaction: Transaction) async throws(PostgresError) {
    let hasVersioned = try await exists(statements.versionedTable, on: transaction)
    let hasRepeatable = try await exists(statements.repeatableTable, on: transaction)
    guard !hasVersioned || !hasRepeatable else { return }
    try await transaction.runScript(statements.createRecord)
  }

  /// The delay of the first report about a lock, and the interval of the checks.
  private static let observationInterval: Duration = .seconds(1)

  /// Reports the sessions that block a session whenever there are new ones.
  private func observeLocks(of session: NIOLockedValueBox<Int32?>) async {
    var connection: Connection?
    var reported: Set<Int32> = []
    while (try? await Task.sleep(for: Self.observationInterval)) != nil {
      guard let processID = session.withLockedValue({ $0 }) else { continue }
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

  private func exists(
    _ table: String, on connection: some StatementExecutor
  ) async throws(PostgresError) -> Bool {
    try await connection.query(statements.tableExists, [table]) {
      row throws(PostgresError) in try row.decode(Bool.self, at: 0)
    } == [true]
  }

  private func status(
    upTo version: Int?, on connection: some StatementExecutor
  ) async throws(MigrationError) -> MigrationStatus {
    let record = try await reporting { () throws(PostgresError) in
      try await self.record(on: connection)
    }
    let checksums = try await reporting { () throws(PostgresError) in
      try await self.checksums(on: connection)
    }
    return try plan.status(of: record, checksums: checksums, upTo: version)
  }

  private func record(
    on connection: some StatementExecutor
  ) async throws(PostgresError) -> MigrationPlan.Record {
    var record = MigrationPlan.Record()
    if try await exists(statements.versionedTable, on: connection) {
      record.versioned = try await connection.query(statements.appliedVersioned) {
        row throws(PostgresError) in
        AppliedMigration(
          version: try row.decode(at: 0), name: try row.decode(at: 1),
          checksum: try row.decode(at: 2), appliedAt: try row.decode(at: 3))
      }
    }
    if try await exists(statements.repeatableTable, on: connection) {
      record.repeatable = try await connection.query(statements.appliedRepeatable) {
        row throws(PostgresError) in
        AppliedRepeatableMigration(
          name: try row.decode(at: 0), checksum: try row.decode(at: 1),
          revision: try row.decode(at: 2), appliedAt: try row.decode(at: 3))
      }
    }
    return record
  }

  private func checksums(
    on connection: some StatementExecutor
  ) async throws(PostgresError) -> MigrationPlan.Checksums {
    if let known = checksums.withLockedValue({ $0 }) { return known }
    let all = try await connection.query(statements.checksums, [plan.texts]) {
      row throws(PostgresError) in try row.decode(String.self, at: 0)
    }
    let count = plan.versioned.count
    let computed = MigrationPlan.Checksums(
      versioned: Array(all.prefix(count)), repeatable: Array(all.dropFirst(count)))
    checksums.withLockedValue { $0 = computed }
    return computed
  }

  private var ownConfiguration: PostgresConfiguration {
    var configuration = configuration
    configuration.statementTimeout = .zero
    configuration.searchPath = MigratorStatements.searchPath
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
      throw MigrationError(.database, "cannot connect to the database", cause: error)
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
    MigrationError(.database, "cannot use the migration record", cause: error)
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

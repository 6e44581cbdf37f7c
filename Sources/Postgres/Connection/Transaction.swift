/// How much a transaction sees of those beside it.
public enum IsolationLevel: String, Sendable, Hashable, CaseIterable {
  /// Each statement sees what was committed before it.
  case readCommitted = "READ COMMITTED"
  /// All statements see what was committed before the first.
  case repeatableRead = "REPEATABLE READ"
  /// As if transactions ran one after the other; be ready for serialization failures.
  case serializable = "SERIALIZABLE"
}

/// A transaction under way, which has its connection alone.
///
/// It is over when the closure given to `withTransaction` returns; statements after that fail with
/// ``PostgresError/Code/closed``. When the connection breaks, its statements fail with
/// ``PostgresError/Code/connectionUnavailable``, because nothing of it can be committed any more.
/// Never send it `COMMIT` or `ROLLBACK`: that is `withTransaction`'s.
public struct Transaction: StatementExecutor {
  private enum Phase {
    case open
    case toBeRolledBack
    case over
  }

  private let connection: Connection
  private let lease: Lease
  private let phase = Locked(Phase.open)

  init(connection: Connection, lease: Lease) {
    self.connection = connection
    self.lease = lease
  }

  /// Runs a statement and decodes each row of its answer.
  ///
  /// - Throws: ``PostgresError``; see ``StatementExecutor/query(_:_:_:)``.
  public func query<Value: Sendable>(
    _ statement: Statement,
    _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(PostgresError) -> [Value] {
    if let failure = parameters.failure { throw failure }
    return try await perform(.statement(statement, parameters)) { result throws(PostgresError) in
      try result.rows(decode)
    }
  }

  /// Runs a statement and returns how many rows it affected.
  ///
  /// - Throws: ``PostgresError``; see ``StatementExecutor/query(_:_:_:)``.
  @discardableResult
  public func execute(
    _ statement: Statement,
    _ parameters: Parameters
  ) async throws(PostgresError) -> Int {
    if let failure = parameters.failure { throw failure }
    return try await perform(.statement(statement, parameters)) { $0.affectedRows }
  }

  /// Runs several statements, separated by semicolons, and without parameters; for migrations.
  ///
  /// - Throws: ``PostgresError`` of the first that fails; those after it are not run.
  ///   ``PostgresError/Code/transactionAborted`` if the script ended the transaction by itself.
  public func runScript(_ sql: String) async throws(PostgresError) {
    guard !sql.utf8.contains(0) else {
      throw PostgresError(.encoding, "The script has the character U+0000.")
    }
    try await perform(.script(sql)) { _ in }
  }

  /// Has the transaction rolled back when the closure returns, whose value is returned all the same.
  public func rollback() {
    phase.withLock { if case .open = $0 { $0 = .toBeRolledBack } }
  }

  private func perform<Value: Sendable>(
    _ work: Request.Work,
    _ read: @escaping @Sendable (LibpqResult) throws(PostgresError) -> Value
  ) async throws(PostgresError) -> Value {
    try await connection.submit(work, as: .transactional, lease: lease) { request in
      // Under the lock, so that nothing is posted behind the COMMIT and outside the transaction.
      phase.withLock { phase in
        if case .over = phase { return false }
        connection.post(.submit(request))
        return true
      }
    } read: { result throws(PostgresError) in
      guard let result else { throw PostgresError(.protocolViolation, "A result is missing.") }
      return try read(result)
    }
  }
}

extension Transaction {
  func run<Value>(
    _ isolation: IsolationLevel,
    _ body: (Transaction) async throws(PostgresError) -> Value
  ) async throws(PostgresError) -> Value {
    _ = try await bound("BEGIN ISOLATION LEVEL \(isolation.rawValue)", as: .boundary)
    let value: Value
    do throws(PostgresError) {
      value = try await body(self)
    } catch {
      end()
      // Should it fail, the connection is given up, and the server rolls back.
      _ = try? await bound("ROLLBACK", as: .boundary)
      throw error
    }
    let isUnwanted = end()
    let isCancelled = Task.isCancelled
    guard !isUnwanted, !isCancelled else {
      _ = try? await bound("ROLLBACK", as: .boundary)
      if isUnwanted { return value }
      throw PostgresError(.cancelled, "The task was cancelled; the transaction was rolled back.")
    }
    // The server answers the COMMIT of a failed transaction with a ROLLBACK, and no error.
    guard try await bound("COMMIT", as: .commit) == "COMMIT" else {
      throw PostgresError(
        .transactionAborted,
        "A statement had failed; the transaction was rolled back."
      )
    }
    return value
  }

  /// Lets nothing more in; whether it is to be rolled back.
  @discardableResult
  private func end() -> Bool {
    phase.withLock { phase in
      defer { phase = .over }
      if case .toBeRolledBack = phase { return true }
      return false
    }
  }

  private func bound(
    _ sql: String,
    as effect: Request.Effect
  ) async throws(PostgresError) -> String {
    try await connection.perform(
      .statement(Statement(sql), Parameters()),
      as: effect,
      lease: lease
    ) { $0.commandTag }
  }
}

internal import NIOConcurrencyHelpers

/// An open transaction, which uses its connection exclusively.
///
/// Each statement sees the changes that were committed before the statement began (`READ
/// COMMITTED`).
///
/// The transaction ends when the closure passed to `withTransaction` returns; later statements fail
/// with ``PostgresError/Code/closed``. If the connection is lost, its statements fail with
/// ``PostgresError/Code/connectionUnavailable``, because the transaction can no longer commit.
/// Do not run `COMMIT` or `ROLLBACK` in it: `withTransaction` does that.
public struct Transaction: StatementExecutor {
  private enum Phase {
    case open
    case toBeRolledBack
    case over
  }

  private let connection: Connection
  private let lease: Lease
  private let phase = NIOLockedValueBox(Phase.open)

  init(connection: Connection, lease: Lease) {
    self.connection = connection
    self.lease = lease
  }

  /// Runs a statement and decodes each row of its result.
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

  /// Runs a statement and returns the number of affected rows.
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

  /// Runs several statements, separated by semicolons and without parameters, such as a migration.
  ///
  /// - Throws: ``PostgresError`` of the first statement that fails; later ones are not run.
  ///   ``PostgresError/Code/transactionAborted`` if the script ended the transaction.
  public func runScript(_ sql: String) async throws(PostgresError) {
    guard !sql.utf8.contains(0) else {
      throw PostgresError(.encoding, "the script contains the character U+0000")
    }
    try await perform(.script(sql)) { _ in }
  }

  /// Makes the transaction roll back when the closure returns; the closure's value is still
  /// returned.
  public func rollback() {
    phase.withLockedValue { if case .open = $0 { $0 = .toBeRolledBack } }
  }

  private func perform<Value: Sendable>(
    _ work: Request.Work,
    _ read: @escaping @Sendable (LibpqResult) throws(PostgresError) -> Value
  ) async throws(PostgresError) -> Value {
    try await connection.submit(work, as: .transactional, lease: lease) { request in
      // Under the lock, so that no statement is posted after the COMMIT, outside the transaction.
      phase.withLockedValue { phase in
        if case .over = phase { return false }
        connection.post(.submit(request))
        return true
      }
    } read: { result throws(PostgresError) in
      try read(try result.required())
    }
  }
}

extension Transaction {
  func run<Value>(
    _ body: (Transaction) async throws(PostgresError) -> Value
  ) async throws(PostgresError) -> Value {
    _ = try await control("BEGIN ISOLATION LEVEL READ COMMITTED", as: .boundary)
    let value: Value
    do throws(PostgresError) {
      value = try await body(self)
    } catch {
      end()
      // If it fails, the connection is dropped, and the server rolls back.
      _ = try? await control("ROLLBACK", as: .boundary)
      throw error
    }
    let isUnwanted = end()
    let isCancelled = Task.isCancelled
    guard !isUnwanted, !isCancelled else {
      _ = try? await control("ROLLBACK", as: .boundary)
      if isUnwanted { return value }
      throw PostgresError(.cancelled, "the task was cancelled; the transaction was rolled back")
    }
    // PostgreSQL answers the COMMIT of a failed transaction with ROLLBACK instead of an error.
    guard try await control("COMMIT", as: .commit) == "COMMIT" else {
      throw PostgresError(
        .transactionAborted,
        "a statement failed, and the transaction was rolled back"
      )
    }
    return value
  }

  /// Rejects further statements; returns true if the transaction must be rolled back.
  @discardableResult
  private func end() -> Bool {
    phase.withLockedValue { phase in
      defer { phase = .over }
      if case .toBeRolledBack = phase { return true }
      return false
    }
  }

  private func control(
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

extension Connection {
  /// Runs a transaction, which uses the connection exclusively; other statements wait until it
  /// ends.
  ///
  /// The transaction is committed when `body` returns. It is rolled back when `body` throws, when
  /// the task is cancelled before the COMMIT, or when `body` called ``Transaction/rollback()``. The
  /// COMMIT itself is never cancelled.
  ///
  /// - Throws: The error of `body`; ``PostgresError/Code/transactionAborted`` if a statement failed
  ///   but `body` returned; ``PostgresError/Code/connectionLost`` only if the connection was lost
  ///   during the COMMIT.
  public nonisolated func withTransaction<Value>(
    _ body: (Transaction) async throws(PostgresError) -> Value
  ) async throws(PostgresError) -> Value {
    try await withLease { lease throws(PostgresError) in
      try await Transaction(connection: self, lease: lease).run(body)
    }
  }

  /// Runs `body` with exclusive use of the connection.
  nonisolated func withLease<Value>(
    _ body: (Lease) async throws(PostgresError) -> Value
  ) async throws(PostgresError) -> Value {
    let lease = Lease()
    try admission.enter()
    try await submit(.lease(lease), as: .autonomous, lease: nil) { request in
      self.post(.submit(request))
      return true
    } read: { _ in
    }
    defer { post(.release(lease)) }
    return try await body(lease)
  }
}

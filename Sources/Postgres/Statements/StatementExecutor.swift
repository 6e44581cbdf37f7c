/// A type that runs statements: ``Pool``, ``Connection`` and ``Transaction``.
public protocol StatementExecutor: Sendable {
  /// Runs a statement and decodes each row of its result.
  ///
  /// `decode` runs on a connection's thread and delays everything else there, so it should only
  /// create a value.
  ///
  /// If the task is cancelled, a statement that was not sent yet is dropped, and one that only
  /// reads (``Statement/isReadOnly``) is cancelled. A statement that was sent and may write runs to
  /// its end.
  ///
  /// - Throws: ``PostgresError``: ``PostgresError/Code/cancelled`` if the task was cancelled and
  ///   the statement had no effect.
  func query<Value: Sendable>(
    _ statement: Statement,
    _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(PostgresError) -> [Value]

  /// Runs a statement and returns the number of rows it inserted, updated, deleted or selected.
  ///
  /// - Throws: ``PostgresError``, as ``query(_:_:_:)`` does.
  @discardableResult
  func execute(_ statement: Statement, _ parameters: Parameters) async throws(PostgresError) -> Int
}

extension StatementExecutor {
  /// Runs a statement without parameters and decodes each row of its result.
  public func query<Value: Sendable>(
    _ statement: Statement,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(PostgresError) -> [Value] {
    try await query(statement, Parameters(), decode)
  }

  /// Runs a statement without parameters and returns the number of affected rows.
  @discardableResult
  public func execute(_ statement: Statement) async throws(PostgresError) -> Int {
    try await execute(statement, Parameters())
  }
}

/// What runs statements: a ``Pool``, a ``Connection``, a ``Transaction``.
public protocol StatementExecutor: Sendable {
  /// Runs a statement and decodes each row of its answer.
  ///
  /// `decode` runs on a connection's thread, and holds up everything else there: it should do no
  /// more than make a value.
  ///
  /// - Throws: ``PostgresError``. When the task is cancelled, ``PostgresError/Code/cancelled``
  ///   unless the statement had been completed by then.
  func query<Value: Sendable>(
    _ statement: Statement,
    _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(PostgresError) -> [Value]

  /// Runs a statement and returns how many rows it inserted, changed, deleted or selected.
  ///
  /// - Throws: ``PostgresError``, as ``query(_:_:_:)`` does.
  @discardableResult
  func execute(_ statement: Statement, _ parameters: Parameters) async throws(PostgresError) -> Int
}

extension StatementExecutor {
  /// Runs a statement without parameters and decodes each row of its answer.
  public func query<Value: Sendable>(
    _ statement: Statement,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(PostgresError) -> [Value] {
    try await query(statement, Parameters(), decode)
  }

  /// Runs a statement without parameters and returns how many rows it affected.
  @discardableResult
  public func execute(_ statement: Statement) async throws(PostgresError) -> Int {
    try await execute(statement, Parameters())
  }
}

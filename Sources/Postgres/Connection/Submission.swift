/// A statement that was submitted to a connection with a completion, without a waiting task.
public struct Submission: Sendable {
  let connection: Connection
  let cancellation: Cancellation

  /// Cancels the statement unless it has completed; the completion reports the outcome.
  public func cancel() {
    cancellation.request()
    connection.post(.cancel(cancellation))
  }
}

/// The rows of a result, valid only within the completion that receives them.
///
/// `Rows` is not `Sendable` and cannot leave the connection's thread: copy the values you need.
public struct Rows {
  let result: LibpqResult

  /// The number of rows.
  public var count: Int { result.rowCount }

  /// Decodes each row.
  ///
  /// - Throws: ``PostgresError`` of the first row that cannot be decoded.
  public func map<Value>(
    _ decode: (Row) throws(PostgresError) -> Value
  ) throws(PostgresError) -> [Value] {
    try result.rows(decode)
  }
}

extension Connection {
  /// Submits a statement and passes its result to a completion.
  ///
  /// This is cheaper than ``query(_:_:_:)`` for callers with many statements: it needs no task for
  /// each of them, and no switch back to that task.
  ///
  /// - Parameters:
  ///   - make: Returns the statement when it is about to be sent, so that it can include requests
  ///     that have arrived by then; nil cancels it. Runs at most once, on the connection's thread,
  ///     and not at all if the connection is unavailable.
  ///   - completion: Receives the result. Runs once, on the connection's thread, and must not
  ///     block. If `make` returned nil, the error is ``PostgresError/Code/cancelled``. See
  ///     ``StatementExecutor/query(_:_:_:)`` for the other errors.
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/queueFull``; then neither closure runs.
  public nonisolated func submit(
    _ make: @escaping @Sendable () -> (Statement, Parameters)?,
    completion: @escaping @Sendable (Result<Rows, PostgresError>) -> Void
  ) throws(PostgresError) -> Submission {
    try admission.enter()
    let request = Request(.deferred(make)) { result in
      completion(
        result.flatMap { result in
          guard let result else {
            return .failure(PostgresError(.protocolViolation, "the result is missing"))
          }
          return .success(Rows(result: result))
        })
    }
    post(.submit(request))
    return Submission(connection: self, cancellation: request.cancellation)
  }
}

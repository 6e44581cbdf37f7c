/// A statement that was handed to a connection, and that no task waits for.
public struct Submission: Sendable {
  let connection: Connection
  let cancellation: Cancellation

  /// Has the statement cancelled, unless it is completed by then; its completion tells which.
  public func cancel() {
    cancellation.request()
    connection.post(.cancel(cancellation))
  }
}

/// The rows of an answer, on loan to the completion that they are handed to.
///
/// It is not `Sendable`, and so cannot leave the connection's thread: take out of it what is needed.
public struct Rows {
  let result: LibpqResult

  /// How many there are.
  public var count: Int { result.rowCount }

  /// Decodes each of them.
  ///
  /// - Throws: ``PostgresError``, of the first that cannot be decoded.
  public func map<Value>(
    _ decode: (Row) throws(PostgresError) -> Value
  ) throws(PostgresError) -> [Value] {
    try result.rows(decode)
  }
}

extension Connection {
  /// Hands a statement over, and its answer to a completion: for one who asks for many, to whom a task
  /// for each, and the way back to it, would be dear.
  ///
  /// - Parameters:
  ///   - make: Makes the statement when its turn has come, so that it can be about what is known by then;
  ///     nil where nobody wants it any more. Runs once, on the connection's thread, and not at all
  ///     where the connection is away.
  ///   - completion: Runs once, on the connection's thread, and holds up everything else there. Without
  ///     a statement it is told ``PostgresError/Code/cancelled``; see ``StatementExecutor/query(_:_:_:)``
  ///     for the other errors.
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/queueFull``; nothing runs then.
  public nonisolated func submit(
    _ make: @escaping @Sendable () -> (Statement, Parameters)?,
    completion: @escaping @Sendable (Result<Rows, PostgresError>) -> Void
  ) throws(PostgresError) -> Submission {
    try admission.enter()
    let request = Request(.deferred(make)) { result in
      completion(
        result.flatMap { result in
          guard let result else {
            return .failure(PostgresError(.protocolViolation, "A result is missing."))
          }
          return .success(Rows(result: result))
        })
    }
    post(.submit(request))
    return Submission(connection: self, cancellation: request.cancellation)
  }
}

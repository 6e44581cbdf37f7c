extension Connection: StatementExecutor {
  /// Runs a statement and decodes each row of its result.
  ///
  /// - Throws: ``PostgresError``; see ``StatementExecutor/query(_:_:_:)``.
  public nonisolated func query<Value: Sendable>(
    _ statement: Statement,
    _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(PostgresError) -> [Value] {
    try await perform(statement, parameters) { result throws(PostgresError) in
      try result.rows(decode)
    }
  }

  /// Runs a statement and returns the number of affected rows.
  ///
  /// - Throws: ``PostgresError``; see ``StatementExecutor/query(_:_:_:)``.
  @discardableResult
  public nonisolated func execute(
    _ statement: Statement,
    _ parameters: Parameters
  ) async throws(PostgresError) -> Int {
    try await perform(statement, parameters) { $0.affectedRows }
  }

  private nonisolated func perform<Value: Sendable>(
    _ statement: Statement,
    _ parameters: Parameters,
    _ read: @escaping @Sendable (LibpqResult) throws(PostgresError) -> Value
  ) async throws(PostgresError) -> Value {
    if let failure = parameters.failure { throw failure }
    try admission.enter()
    return try await perform(.statement(statement, parameters), as: .autonomous, read)
  }
}

extension Connection {
  /// Submits a request and waits for its result; cancelling the task cancels the request.
  nonisolated func perform<Value: Sendable>(
    _ work: Request.Work,
    as effect: Request.Effect,
    lease: Lease? = nil,
    _ read: @escaping @Sendable (LibpqResult) throws(PostgresError) -> Value
  ) async throws(PostgresError) -> Value {
    try await submit(work, as: effect, lease: lease) { request in
      self.post(.submit(request))
      return true
    } read: { result throws(PostgresError) in
      try read(try result.required())
    }
  }

  /// Submits a request through `post`, which returns false if the transaction has ended.
  nonisolated func submit<Value: Sendable>(
    _ work: Request.Work,
    as effect: Request.Effect,
    lease: Lease?,
    post: @Sendable (Request) -> Bool,
    read: @escaping @Sendable (LibpqResult?) throws(PostgresError) -> Value
  ) async throws(PostgresError) -> Value {
    let cancellation = Cancellation()
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation {
        (continuation: CheckedContinuation<Result<Value, PostgresError>, Never>) in
        let request = Request(
          work,
          effect: effect,
          lease: lease?.id,
          cancellation: cancellation
        ) { result in
          continuation.resume(
            returning: Result { () throws(PostgresError) in try read(try result.get()) })
        }
        if !post(request) {
          request.complete(.failure(PostgresError(.closed, "the transaction has ended")))
        }
      }
    } onCancel: {
      // BEGIN, COMMIT and ROLLBACK are never cancelled.
      guard effect == .autonomous || effect == .transactional else { return }
      cancellation.request()
      self.post(.cancel(cancellation))
    }
    return try result.get()
  }
}

extension LibpqResult? {
  /// Returns the result, which only leases do not have.
  func required() throws(PostgresError) -> LibpqResult {
    guard let self else { throw PostgresError(.protocolViolation, "the result is missing") }
    return self
  }
}

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
        Result { () throws(PostgresError) in Rows(result: try result.get().required()) })
    }
    post(.submit(request))
    return Submission(connection: self, cancellation: request.cancellation)
  }
}

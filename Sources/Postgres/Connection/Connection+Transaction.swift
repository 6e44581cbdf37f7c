import Synchronization

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
    _ isolation: IsolationLevel = .readCommitted,
    _ body: (Transaction) async throws(PostgresError) -> Value
  ) async throws(PostgresError) -> Value {
    try await withLease { lease throws(PostgresError) in
      try await Transaction(connection: self, lease: lease).run(isolation, body)
    }
  }

  /// Runs `body` with exclusive use of the connection.
  nonisolated func withLease<Value>(
    _ body: (Lease) async throws(PostgresError) -> Value
  ) async throws(PostgresError) -> Value {
    let lease = Lease()
    try admission.enter()
    leaseCount.add(1, ordering: .relaxed)
    defer { leaseCount.subtract(1, ordering: .relaxed) }
    try await submit(.lease(lease), as: .autonomous, lease: nil) { request in
      self.post(.submit(request))
      return true
    } read: { _ in
    }
    defer { post(.release(lease)) }
    return try await body(lease)
  }
}

import Synchronization

extension Connection {
  /// Runs a transaction, which has the connection alone; everything else waits behind it.
  ///
  /// It is committed when `body` returns, and rolled back when `body` throws, when the task is
  /// cancelled before the COMMIT, or when ``Transaction/rollback()`` was called. The COMMIT itself is
  /// never cancelled.
  ///
  /// - Throws: What `body` throws; ``PostgresError/Code/transactionAborted`` if a statement failed
  ///   and `body` returned all the same; ``PostgresError/Code/connectionLost`` if the connection
  ///   broke during the COMMIT, and only then.
  public nonisolated func withTransaction<Value>(
    _ isolation: IsolationLevel = .readCommitted,
    _ body: (Transaction) async throws(PostgresError) -> Value
  ) async throws(PostgresError) -> Value {
    try await withLease { lease throws(PostgresError) in
      try await Transaction(connection: self, lease: lease).run(isolation, body)
    }
  }

  /// Has the connection alone while `body` runs.
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

public import Postgres

extension Pool {
  /// Runs a transaction on a new connection to the pool's database; see
  /// ``Connection/withTransaction(_:)``.
  public func withTransaction<Value>(
    _ body: (Transaction) async throws(PostgresError) -> Value
  ) async throws(PostgresError) -> Value {
    let connection = try Connection(configuration: configuration)
    connection.start()
    let result: Result<Value, PostgresError>
    do throws(PostgresError) {
      result = .success(try await connection.withTransaction(body))
    } catch {
      result = .failure(error)
    }
    await connection.close()
    return try result.get()
  }
}

internal import FoundationEssentials
internal import Postgres

/// An error of a store, which may be one of the database.
protocol StoreError: Error {
  static func database(_ error: PostgresError) -> Self
}

extension CreditError: StoreError {}
extension MockupError: StoreError {}
extension SceneError: StoreError {}

/// A store that runs single statements, and reports the errors of the database as its own.
protocol DatabaseStore: Sendable {
  associatedtype Failure: StoreError

  var pool: Pool { get }
}

extension DatabaseStore {
  /// Runs a statement that only reads, in all partitions.
  func read<Value: Sendable>(
    _ statement: Statement, _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(Failure) -> [Value] {
    try await read(statement, on: pool, parameters, decode)
  }

  /// Runs a statement that only reads, in the partition of a user; nil means the first one.
  func read<Value: Sendable>(
    _ statement: Statement, of userID: UUID?, _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(Failure) -> [Value] {
    try await read(statement, on: pool.partition(of: userID), parameters, decode)
  }

  /// Returns true if a user exists.
  func exists(_ userID: UUID) async throws(Failure) -> Bool {
    try await read(Queries.userExists, of: userID, Parameters(userID)) {
      row throws(PostgresError) in
      try row.decode(Bool.self, at: 0)
    }.first == true
  }

  private func read<Value: Sendable>(
    _ statement: Statement, on pool: Pool, _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(Failure) -> [Value] {
    do throws(PostgresError) {
      return try await pool.query(statement, parameters, decode)
    } catch {
      throw .database(error)
    }
  }

  /// Runs a statement that writes in the partition of a user, and retries it after a conflict with
  /// another transaction or a lock of one; see ``retrying(on:_:)``.
  func write<Value: Sendable>(
    _ statement: Statement, of userID: UUID, _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(Failure) -> [Value] {
    do throws(PostgresError) {
      return try await retrying(on: pool.partition(of: userID)) { pool throws(PostgresError) in
        try await pool.query(statement, parameters, decode)
      }
    } catch {
      throw .database(error)
    }
  }
}

/// Returns the field of an outcome such as `conflicting_credits`; `nil` for other outcomes.
func conflictingField(of outcome: String) -> String? {
  let prefix = "conflicting_"
  return outcome.hasPrefix(prefix) ? String(outcome.dropFirst(prefix.count)) : nil
}

public import FoundationEssentials
internal import MockupCore
public import Postgres
public import TimeOrderedID

/// The store of mockups: requests, workers' leases and results.
///
/// Each change calls a function in `MockupSchema/SQL/Functions/mockups`, which changes the mockup
/// and the user's credits in one transaction.
public struct MockupStore: Sendable {
  let pool: Pool
  let now: @Sendable () -> Date
  let makeID: @Sendable () -> UUID

  /// Creates a store.
  ///
  /// - Parameters:
  ///   - pool: The connections to the database.
  ///   - now: The clock by which reservations and leases expire.
  ///   - makeID: A function that makes the ids of mockups, their reservations and ledger entries.
  public init(
    pool: Pool, now: @escaping @Sendable () -> Date = { Date() },
    makeID: @escaping @Sendable () -> UUID = { .timeOrdered() }
  ) {
    self.pool = pool
    self.now = now
    self.makeID = makeID
  }

  /// Runs a statement that only reads.
  func read<Value: Sendable>(
    _ statement: Statement, _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(MockupError) -> [Value] {
    do throws(PostgresError) {
      return try await pool.query(statement, parameters, decode)
    } catch {
      throw .database(error)
    }
  }

  /// Runs a statement that writes, and retries it after a conflict with another transaction.
  func change<Value: Sendable>(
    _ statement: Statement, _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(MockupError) -> [Value] {
    do throws(PostgresError) {
      return try await retrying { () throws(PostgresError) in
        try await pool.query(statement, parameters, decode)
      }
    } catch {
      throw .database(error)
    }
  }

  /// Runs a statement that writes and returns one row; see ``change(_:_:_:)``.
  func changeOne<Value: Sendable>(
    _ statement: Statement, _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(MockupError) -> Value {
    let rows = try await change(statement, parameters, decode)
    guard let row = rows.first else { throw .database(.unexpectedAnswer("no row")) }
    return row
  }
}

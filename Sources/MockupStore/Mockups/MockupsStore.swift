public import FoundationEssentials
internal import Mockups
public import Postgres
public import TimeOrderedID

/// The store of mockups: requests, workers' leases, results.
///
/// Every change is one call of a function of `MockupSchema/SQL/Functions/mockups`, which changes the
/// mockup and the user's credits together; this type calls them with values.
public struct MockupsStore: Sendable {
  let pool: Pool
  let now: @Sendable () -> Date
  let makeID: @Sendable () -> UUID

  /// - Parameters:
  ///   - now: The clock by which credits and leases expire.
  ///   - makeID: Makes the ids of mockups, of their reservations, and of ledger rows.
  public init(
    pool: Pool, now: @escaping @Sendable () -> Date = { Date() },
    makeID: @escaping @Sendable () -> UUID = { .timeOrdered() }
  ) {
    self.pool = pool
    self.now = now
    self.makeID = makeID
  }

  /// Runs a statement that reads.
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

  /// Runs a statement that changes something, again where it lost against another transaction.
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

  /// As ``change(_:_:_:)``, for an answer of one row.
  func changeOne<Value: Sendable>(
    _ statement: Statement, _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(MockupError) -> Value {
    let rows = try await change(statement, parameters, decode)
    guard let row = rows.first else { throw .database(.unexpectedAnswer("no row")) }
    return row
  }
}

public import FoundationEssentials
internal import Mockups
public import Postgres
public import TimeOrderedID

/// The books as those see them who look after them: all users at once.
public struct AdminStore: Sendable {
  let pool: Pool
  let now: @Sendable () -> Date
  let makeID: @Sendable () -> UUID

  /// - Parameters:
  ///   - now: The clock by which reservations expire, and which says what year it is.
  ///   - makeID: Makes the ids of ledger rows.
  public init(
    pool: Pool, now: @escaping @Sendable () -> Date = { Date() },
    makeID: @escaping @Sendable () -> UUID = { .timeOrdered() }
  ) {
    self.pool = pool
    self.now = now
    self.makeID = makeID
  }

  func read<Value: Sendable>(
    _ statement: Statement, _ parameters: Parameters,
    _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws(CreditError) -> [Value] {
    do throws(PostgresError) {
      return try await pool.query(statement, parameters, decode)
    } catch {
      throw .database(error)
    }
  }
}

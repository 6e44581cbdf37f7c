public import FoundationEssentials
internal import Postgres

/// Facts about the database and the work that waits in it.
public struct DatabaseFacts: Sendable, Hashable {
  /// The version of the newest migration that is applied.
  public var schemaVersion: Int32
  /// The version of PostgreSQL, as `version()` returns it.
  public var version: String
  /// The number of unresolved reservations, for which the vendor may have charged.
  public var unresolvedReservations: Int64
  /// The number of mockups that a worker can claim.
  public var pendingMockups: Int64
  /// The time when the facts were read, by the database's clock.
  public var readAt: Date
}

extension AdminStore {
  /// Reads facts about the database and the work that waits in it.
  public func facts() async throws(CreditError) -> DatabaseFacts {
    let facts = try await read(Queries.getDatabaseFacts, Parameters(now())) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      return DatabaseFacts(
        schemaVersion: try columns.read(), version: try columns.read(),
        unresolvedReservations: try columns.read(), pendingMockups: try columns.read(),
        readAt: try columns.read())
    }
    guard let facts = facts.first else { throw .database(.unexpectedAnswer("facts")) }
    return facts
  }
}

public import FoundationEssentials
internal import Postgres

/// The database, and what waits in it.
public struct DatabaseFacts: Sendable, Hashable {
  /// The newest migration that it has.
  public var schemaVersion: Int32
  /// PostgreSQL's own words.
  public var version: String
  /// Reservations of which nobody knows whether the vendor charged.
  public var unresolvedReservations: Int64
  /// Mockups that a worker can claim.
  public var pendingMockups: Int64
  /// When it was asked.
  public var readAt: Date
}

extension AdminStore {
  /// What the database is, and what waits in it.
  public func facts() async throws(CreditError) -> DatabaseFacts {
    let now = now()
    let facts = try await read(Queries.getDatabaseFacts, Parameters(now)) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      return DatabaseFacts(
        schemaVersion: try columns.read(), version: try columns.read(),
        unresolvedReservations: try columns.read(), pendingMockups: try columns.read(), readAt: now)
    }
    guard let facts = facts.first else { throw .database(.unexpectedAnswer("facts")) }
    return facts
  }
}

public import FoundationEssentials
internal import Postgres

/// Where a user's books and the rows that they sum up differ.
public struct Discrepancy: Sendable, Hashable {
  public var userID: UUID
  public var year: Int32
  /// For people.
  public var description: String
}

/// What is known after some more users' books were recomputed.
public struct VerificationStep: Sendable, Hashable {
  public var discrepancies: [Discrepancy]
  /// How many users these were.
  public var users: Int
  /// The last of them, if there may be more.
  public var last: UUID?
}

extension AdminStore {
  /// Recomputes one user's books.
  public func verify(_ userID: UUID) async throws(CreditError) -> [Discrepancy] {
    try await requireUser(userID)
    return try await read(Queries.verifyUser, Parameters(userID)) { row throws(PostgresError) in
      try VerifiedRow(row)
    }.compactMap(\.discrepancy)
  }

  /// Recomputes the books of the next users, in the order of their ids: in a statement of its own,
  /// which reads what one moment left, and keeps nobody waiting.
  public func verify(
    after userID: UUID?, count: Int32
  ) async throws(CreditError) -> VerificationStep {
    let rows = try await read(Queries.verifyUsers, Parameters(userID, count)) {
      row throws(PostgresError) in
      try VerifiedRow(row)
    }
    let users = Set(rows.map(\.userID)).count
    return VerificationStep(
      discrepancies: rows.compactMap(\.discrepancy), users: users,
      last: users < Int(count) ? nil : rows.last?.userID)
  }
}

/// A row of `verify_users.sql`.
private struct VerifiedRow: Sendable {
  var userID: UUID
  var discrepancy: Discrepancy?

  init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    userID = try columns.read()
    let year = try columns.read(Int32?.self)
    guard let description = try columns.read(String?.self) else { return }
    discrepancy = Discrepancy(userID: userID, year: year ?? 0, description: description)
  }
}

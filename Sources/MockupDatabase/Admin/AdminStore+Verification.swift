public import FoundationEssentials
internal import Postgres

/// A difference between a user's counters or balances and the rows they are computed from.
public struct Discrepancy: Sendable, Hashable {
  /// The id of the user.
  public var userID: UUID
  /// The budget year.
  public var year: Int32
  /// The difference as a message for people.
  public var description: String
}

/// The result of verifying a batch of users.
public struct VerificationStep: Sendable, Hashable {
  /// The discrepancies of the batch; an empty array means that everything is correct.
  public var discrepancies: [Discrepancy]
  /// The number of users in the batch.
  public var users: Int
  /// The last user of the batch, or nil if there are no more users.
  public var last: UUID?
}

extension AdminStore {
  /// Recomputes one user's counters and balances, and returns the discrepancies.
  ///
  /// - Throws: ``CreditError/unknownUser(_:)`` if the user does not exist.
  public func verify(_ userID: UUID) async throws(CreditError) -> [Discrepancy] {
    try await requireUser(userID)
    return try await read(Queries.verifyUser, of: userID, Parameters(userID)) {
      row throws(PostgresError) in
      try VerifiedRow(row)
    }.compactMap(\.discrepancy)
  }

  /// Recomputes the counters and balances of a batch of users, in the order of their ids.
  ///
  /// The call runs one statement, which reads a single snapshot and takes no locks on rows.
  ///
  /// - Parameters:
  ///   - userID: The ``VerificationStep/last`` user of the previous batch; nil means the first
  ///     batch.
  ///   - count: The maximum number of users.
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

public import FoundationEssentials
internal import Postgres

extension AdminStore {
  /// Returns the users with a label, ordered by id.
  ///
  /// - Parameters:
  ///   - label: The complete label, as `mockupd.user_label` returns it.
  ///   - count: The maximum number of users.
  public func users(labelled label: String, count: Int32) async throws(CreditError) -> [UUID] {
    try await read(Queries.findUsers, Parameters(label, count)) { row throws(PostgresError) in
      try row.decode(UUID.self, at: 0)
    }
  }
}

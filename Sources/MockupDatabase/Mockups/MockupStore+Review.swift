public import FoundationEssentials
public import MockupCore
internal import Postgres

extension MockupStore {
  /// Approves a completed mockup.
  ///
  /// An approved mockup is returned unchanged.
  ///
  /// - Throws: ``MockupError/wrongStatus(_:wanted:)`` if the mockup has another status.
  public func approve(_ id: UUID, of userID: UUID) async throws(MockupError) -> Mockup {
    try await review(id, of: userID, as: .approved, because: nil)
  }

  /// Rejects a completed mockup.
  ///
  /// A rejected mockup is returned unchanged, with its first reason.
  ///
  /// - Throws: ``MockupError/wrongStatus(_:wanted:)`` if the mockup has another status.
  public func reject(
    _ id: UUID, of userID: UUID, because reason: String?
  ) async throws(MockupError) -> Mockup {
    try await review(id, of: userID, as: .rejected, because: reason)
  }

  private func review(
    _ id: UUID, of userID: UUID, as status: MockupStatus, because reason: String?
  ) async throws(MockupError) -> Mockup {
    let row = try await writeOne(
      Queries.reviewMockup, of: userID, Parameters(userID, id, status.rawValue, reason)
    ) { row throws(PostgresError) in
      try MockupRow(reviewing: row)
    }
    guard row.outcome == "reviewed", let mockup = row.mockup else {
      throw row.error(of: id, wanted: status)
    }
    return mockup
  }

  /// Deletes a mockup, and releases its reservation if it is held.
  ///
  /// A dispatched reservation stays open, since the vendor may have charged.
  ///
  /// - Returns: True if the mockup existed, and the number of credits that were released.
  public func delete(
    _ id: UUID, of userID: UUID
  ) async throws(MockupError) -> (wasThere: Bool, released: Int32) {
    try await writeOne(Queries.deleteMockup, of: userID, Parameters(now(), userID, id)) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      return (wasThere: try columns.read(), released: try columns.read())
    }
  }
}

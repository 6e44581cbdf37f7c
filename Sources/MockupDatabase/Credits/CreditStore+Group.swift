public import FoundationEssentials
public import MockupCore
internal import Postgres

/// The result of releasing a group of reservations.
public struct GroupRelease: Sendable, Hashable {
  /// The number of the group's reservations that were released, by this call or an earlier one.
  public var reservations: Int64
  /// The number of credits that these releases gave back.
  public var credits: Int64
  /// The user's credits after the releases.
  public var usage: Usage
  /// True if no reservation of the group was open, so that this call changed nothing.
  public var isReplayed: Bool
}

extension CreditStore {
  /// Releases all open reservations of a user's group, in one transaction.
  ///
  /// - Throws: ``CreditError/unknownGroup(_:)`` if the user has no reservation in the group.
  public func releaseGroup(
    _ groupID: UUID, of userID: UUID
  ) async throws(CreditError) -> GroupRelease {
    let parameters = Parameters(now(), userID, groupID)
    let releases = try await write(Queries.releaseGroup, of: userID, parameters) {
      row throws(PostgresError) in
      try GroupRelease(row)
    }
    guard let release = releases.first else { throw .unknownGroup(groupID) }
    return release
  }
}

extension GroupRelease {
  fileprivate init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    _ = try columns.read(Bool.self)
    let reservations = try columns.read(Int64.self)
    let credits = try columns.read(Int64.self)
    let isReplayed = try columns.read(Bool.self)
    let period = Period(year: try columns.read(), month: try columns.read())
    self.init(
      reservations: reservations, credits: credits,
      usage: try Usage(&columns, period: period), isReplayed: isReplayed)
  }
}

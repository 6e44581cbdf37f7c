public import FoundationEssentials
internal import Postgres

/// A query for a user's credits in each day or month of a range.
public struct UsageHistoryQuery: Sendable, Hashable {
  /// The length of an interval.
  public enum Unit: Sendable, Hashable {
    /// Days in UTC, numbered from 1 January 1970, which is 0.
    case day
    /// Months in UTC, numbered by `year * 12 + month - 1`.
    case month
  }

  /// The user.
  public var userID: UUID
  /// The length of the intervals.
  public var unit: Unit
  /// The number of the first interval.
  public var first: Int32
  /// The number of the last interval.
  public var last: Int32

  /// Creates a query.
  public init(userID: UUID, unit: Unit, first: Int32, last: Int32) {
    self.userID = userID
    self.unit = unit
    self.first = first
    self.last = last
  }
}

/// A user's credits in a day or in a month.
public struct UsageHistoryInterval: Sendable, Hashable {
  /// The number of the interval; see ``UsageHistoryQuery/Unit-swift.enum``.
  public var number: Int32
  /// The credits that ledger entries spent on generations.
  public var generation: Int64
  /// The credits that ledger entries spent on regenerations.
  public var regeneration: Int64
  /// The credits that ledger entries refunded.
  public var refund: Int64
  /// The credits granted to reservations that were made in the interval.
  public var reserved: Int64
  /// The part of ``reserved`` that is available again without having been spent.
  public var released: Int64

  /// The credits that ledger entries spent, minus refunds.
  public var used: Int64 { generation + regeneration - refund }
}

extension AdminStore {
  /// Returns a user's credits in each interval of a range, in order.
  ///
  /// A month has the ledger entries that are charged to it. A day has the entries that were written
  /// on it, except that entries written after the year they are charged to belong to its last day.
  /// Both add up to the credits of the year.
  ///
  /// - Throws: ``CreditError/unknownUser(_:)`` if the user does not exist.
  public func usageHistory(
    _ query: UsageHistoryQuery
  ) async throws(CreditError) -> [UsageHistoryInterval] {
    let statement =
      query.unit == .day ? Queries.getUsageHistoryByDay : Queries.getUsageHistoryByMonth
    let parameters = Parameters(now(), query.userID, query.first, query.last)
    let intervals = try await read(statement, of: query.userID, parameters) {
      row throws(PostgresError) in
      var columns = ColumnReader(row)
      return UsageHistoryInterval(
        number: try columns.read(), generation: try columns.read(),
        regeneration: try columns.read(), refund: try columns.read(),
        reserved: try columns.read(), released: try columns.read())
    }
    let isEmpty = intervals.allSatisfy {
      $0.reserved == 0 && $0.generation == 0 && $0.regeneration == 0 && $0.refund == 0
    }
    if isEmpty { try await requireUser(query.userID) }
    return intervals
  }
}

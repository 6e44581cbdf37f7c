public import FoundationEssentials
internal import MockupCore
internal import Postgres

extension AdminStore {
  /// Returns a page of the credits of all users, with the totals of the whole report.
  ///
  /// Each page, with its totals, shows the state at one moment. If the report is sorted by a
  /// figure, a user whose figure changes between two pages may be missing or appear twice. Other
  /// users are not affected.
  ///
  /// - Parameters:
  ///   - query: The period, the users and the order.
  ///   - cursor: The ``UsageReportPage/next`` of the previous page; nil means the first page.
  ///   - count: The maximum number of users.
  /// - Throws: ``CreditError/unknownUser(_:)`` if the query names a user who does not exist.
  public func usageReport(
    _ query: UsageReportQuery, after cursor: UsageReportPage.Cursor?, count: Int32
  ) async throws(CreditError) -> UsageReportPage {
    let parameters: Parameters = [
      now(), query.year, query.month, query.userID, query.onlyActive,
      query.onlySoftLimitPassed, query.availableAtMost, query.order.rawValue,
      cursor?.figure, cursor?.userID, Int64(count) + 1,
    ]
    let rows = try await read(Queries.getUsageReport, parameters) { row throws(PostgresError) in
      try ReportRow(row)
    }
    guard let first = rows.first else { throw .database(.unexpectedAnswer("usage report")) }
    if let userID = query.userID, first.totals.users == 0 { try await requireUser(userID) }

    let page = Page<UsageReportPage.Cursor>(rows.compactMap(\.user), count: count)
    return UsageReportPage(
      period: first.period, users: page.rows, totals: first.totals, next: page.next)
  }

  /// Throws ``CreditError/unknownUser(_:)`` if the user does not exist.
  public func requireUser(_ id: UUID) async throws(CreditError) {
    guard try await exists(id) else { throw .unknownUser(id) }
  }
}

/// A row of `get_usage_report.sql`.
private struct ReportRow: Sendable {
  var period: Period
  var totals = UsageTotals()
  var user: UserUsage?

  init(_ row: Row) throws(PostgresError) {
    var columns = ColumnReader(row)
    period = Period(year: try columns.read(), month: try columns.read())
    totals.users = try columns.read()
    totals.annualBudget = try columns.read()
    totals.generation = try columns.read()
    totals.regeneration = try columns.read()
    totals.refund = try columns.read()
    totals.held = try columns.read()
    totals.monthlyUsed = try columns.read()
    totals.monthlyHeld = try columns.read()
    totals.usersAboveSoftLimit = try columns.read()
    totals.unresolved = try columns.read()
    guard let userID = try columns.read(UUID?.self) else { return }
    let figure = try columns.read(Int64.self)
    let usage = try Usage(&columns, period: period)
    let unresolved = try columns.read(Int32.self)
    user = UserUsage(
      userID: userID, label: try columns.read(), usage: usage, unresolved: unresolved,
      figure: figure)
  }
}

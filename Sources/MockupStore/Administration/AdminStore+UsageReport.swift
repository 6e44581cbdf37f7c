internal import FoundationEssentials
internal import Mockups
internal import Postgres

extension AdminStore {
  /// A page of all users' credits.
  ///
  /// Each page is true of one moment, its totals included. A user whose figures change from one page
  /// to the next changes place in the orders that go by them, and may be missed or come twice; no
  /// other user does.
  ///
  /// - Parameters:
  ///   - cursor: Where the page before said to go on.
  ///   - count: How many users at most.
  public func usageReport(
    _ query: UsageReportQuery, after cursor: UsageReportPage.Cursor?, count: Int32
  ) async throws(CreditError) -> UsageReportPage {
    // One more than the page tells whether there is another.
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

    let users = rows.compactMap(\.user)
    var page = UsageReportPage(
      period: first.period, users: Array(users.prefix(Int(count))), totals: first.totals, next: nil)
    if users.count > Int(count) { page.next = page.users.last.map(UsageReportPage.Cursor.init) }
    return page
  }

  /// - Throws: ``CreditError/unknownUser(_:)``
  func requireUser(_ id: UUID) async throws(CreditError) {
    let exists = try await read(Queries.userExists, Parameters(id)) { row throws(PostgresError) in
      try row.decode(Bool.self, at: 0)
    }
    guard exists.first == true else { throw .unknownUser(id) }
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
    user = UserUsage(
      userID: userID, usage: usage, unresolved: try columns.read(), figure: figure)
  }
}

public import FoundationEssentials
public import MockupAPI
public import TTRPC

/// The calls for administrators: usage reports, budgets, stuck reservations and ledger
/// verification.
///
/// Every method throws `RPCError`. `proto/mockups/v1/admin.proto` lists the codes.
public struct Admin: Sendable {
  let stub: AdminServiceClient
  let options: CallOptions
  /// The policy for restarting watches.
  let retry: RetryPolicy

  /// Returns a report on the credits of all users in a year and in one of its months.
  ///
  /// The report is fetched page by page while it is iterated over.
  ///
  /// - Parameters:
  ///   - year: The year in UTC; `nil` means the current year.
  ///   - month: The month in UTC, 1 to 12; `nil` means the current month's number.
  ///   - order: The order of the users; `.unspecified` orders by user id.
  ///   - activeOnly: If `true`, only users who have used credits or hold credits in the year.
  ///   - softLimitPassedOnly: If `true`, only users whose month is above its soft limit.
  ///   - availableAtMost: Only users with at most this number of available credits; `nil` means
  ///     all.
  ///   - user: Only this user; `nil` means all.
  /// - Throws: INVALID_ARGUMENT if the year or the month does not fit into 32 bits. The server
  ///   checks the other arguments when the first page is fetched.
  public func usageReport(
    year: Int? = nil, month: Int? = nil, order: UsageOrder = .unspecified,
    activeOnly: Bool = false, softLimitPassedOnly: Bool = false, availableAtMost: Int? = nil,
    user: UUID? = nil
  ) throws(RPCError) -> UsageReport {
    UsageReport(
      admin: self,
      request: GetUsageReportRequest(
        year: try .wire(year ?? 0, "year"), month: try .wire(month ?? 0, "month"), order: order,
        activeOnly: activeOnly, softLimitPassedOnly: softLimitPassedOnly,
        availableAtMost: availableAtMost.map(Int64.init), pageSize: listPageSize,
        userID: user?.wireText ?? ""))
  }

  /// Returns one page of a report on the credits of all users.
  ///
  /// It suits a program that shows one page at a time; others iterate over a ``UsageReport``.
  ///
  /// - Parameters:
  ///   - year: The year in UTC.
  ///   - month: The month in UTC, 1 to 12.
  ///   - order: The order of the users; `.unspecified` orders by user id.
  ///   - user: Only this user; `nil` means all.
  ///   - count: The maximum number of users, 1 to 1000.
  ///   - token: The `nextPageToken` of the previous page; empty for the first page.
  public func usageReportPage(
    year: Int, month: Int, order: UsageOrder = .unspecified, user: UUID? = nil, count: Int,
    after token: String = ""
  ) async throws(RPCError) -> GetUsageReportResponse {
    try await stub.getUsageReport(
      GetUsageReportRequest(
        year: try .wire(year, "year"), month: try .wire(month, "month"), order: order,
        pageSize: try .wire(count, "count"), pageToken: token, userID: user?.wireText ?? ""),
      options: options)
  }

  /// Returns the credits that a user reserved, spent and got back in each day or month of a range.
  ///
  /// - Parameters:
  ///   - user: The user. The call fails with NOT_FOUND if the user is unknown.
  ///   - granularity: Days or months in UTC.
  ///   - firstDay: The first day, or a day of the first month.
  ///   - lastDay: The last day, or a day of the last month. A range has up to 400 days or 120
  ///     months.
  /// - Returns: Every interval of the range, in order, also if it has no credits.
  public func usageHistory(
    of user: UUID, by granularity: UsageGranularity, from firstDay: CivilDate,
    through lastDay: CivilDate
  ) async throws(RPCError) -> [UsageInterval] {
    try await stub.getUsageHistory(
      GetUsageHistoryRequest(
        userID: user.wireText, granularity: granularity, firstDay: firstDay, lastDay: lastDay),
      options: options
    ).intervals
  }

  /// Sets a user's annual budget, monthly soft limit, or both.
  ///
  /// The server records who changed the budget.
  ///
  /// - Parameters:
  ///   - user: The owner of the budget. The call fails with NOT_FOUND if the user is unknown.
  ///   - annual: The credits that the user may spend in a year, 0 or more; `nil` leaves it
  ///     unchanged.
  ///   - monthly: The credits in a month above which the user is warned, 0 or more; `nil` leaves it
  ///     unchanged.
  ///   - validateOnly: If `true`, nothing changes, and the response is the one that the call would
  ///     have otherwise.
  /// - Returns: The usage under the new values, and the previous values.
  public func setBudget(
    of user: UUID, annual: Int? = nil, monthly: Int? = nil, validateOnly: Bool = false
  ) async throws(RPCError) -> SetBudgetResponse {
    var request = SetBudgetRequest(userID: user.wireText, validateOnly: validateOnly)
    if let annual { request.annualBudget = try .wire(annual, "annual") }
    if let monthly { request.monthlySoftLimit = try .wire(monthly, "monthly") }
    return try await stub.setBudget(request, options: options)
  }

  /// Settles a reservation that was dispatched and expired before it was committed or released.
  ///
  /// - Parameters:
  ///   - reservation: The id of an UNRESOLVED reservation. The call fails with FAILED_PRECONDITION
  ///     for any other, except in a retry, which returns the first response.
  ///   - user: The owner of the reservation.
  ///   - credits: The credits that the vendor charged; 0 releases the whole reservation.
  ///   - resolutionID: The idempotency key of the call; `nil` means the reservation's own id.
  ///   - allowOverrun: If `true`, `credits` may exceed the held credits by up to the available
  ///     ones.
  ///   - validateOnly: If `true`, nothing changes, and the response is the one that the call would
  ///     have otherwise.
  public func resolve(
    _ reservation: UUID, of user: UUID, credits: Int, resolutionID: UUID? = nil,
    allowOverrun: Bool = false, validateOnly: Bool = false
  ) async throws(RPCError) -> ResolveReservationResponse {
    try await stub.resolveReservation(
      ResolveReservationRequest(
        userID: user.wireText, reservationID: reservation.wireText,
        credits: try .wire(credits, "credits"), resolutionID: resolutionID?.wireText ?? "",
        allowOverrun: allowOverrun, validateOnly: validateOnly),
      options: options)
  }

  /// Returns the unresolved reservations of all users, with those first that are unresolved for the
  /// longest time.
  ///
  /// The reservations are fetched page by page while they are iterated over.
  public func unresolvedReservations() -> PagedList<UnresolvedReservation> {
    PagedList { token throws(RPCError) in
      let page = try await unresolvedReservationsPage(count: Int(listPageSize), after: token)
      return (page.reservations, page.nextPageToken)
    }
  }

  /// Returns one page of the unresolved reservations of all users, in the same order.
  ///
  /// It suits a program that shows one page at a time; others iterate over
  /// ``unresolvedReservations()``.
  ///
  /// - Parameters:
  ///   - count: The maximum number of reservations, 1 to 1000.
  ///   - token: The `nextPageToken` of the previous page; empty for the first page.
  public func unresolvedReservationsPage(
    count: Int, after token: String = ""
  ) async throws(RPCError) -> ListUnresolvedReservationsResponse {
    try await stub.listUnresolvedReservations(
      ListUnresolvedReservationsRequest(pageSize: try .wire(count, "count"), pageToken: token),
      options: options)
  }

  /// Returns the ids of the users with a label, such as an e-mail address; at most the first 100.
  ///
  /// - Parameter label: The complete label, in which case matters.
  public func users(labelled label: String) async throws(RPCError) -> [UUID] {
    let response = try await stub.findUsers(FindUsersRequest(label: label), options: options)
    return response.userIDs.compactMap { UUID(wireText: $0) }
  }

  /// Exports the ledgers of all users, user by user, each from the oldest entry.
  ///
  /// The export has no time limit: the client's timeout does not apply, and the closure may take
  /// any time. At most three exports with slow closures should run on one client at the same time,
  /// since their unread chunks share 16 MiB. After an error, another export can continue after the
  /// last chunk that was processed.
  ///
  /// - Parameters:
  ///   - year: Only entries of this year; `nil` means every year.
  ///   - month: Only entries of this month of each year, 1 to 12; `nil` means every month.
  ///   - resumeToken: The token of the last chunk that was processed; empty to export from the
  ///     beginning.
  ///   - body: The closure that processes a chunk: some entries, and the token to continue after
  ///     them.
  /// - Throws: `RPCError`, or the error of the closure, which ends the export.
  public func export(
    year: Int? = nil, month: Int? = nil, after resumeToken: String = "",
    _ body: (ExportLedgerResponse) async throws -> Void
  ) async throws {
    var request = ExportLedgerRequest(
      year: try .wire(year ?? 0, "year"), month: try .wire(month ?? 0, "month"))
    var options = options
    options.timeout = nil
    try await ChunkedExport(token: { $0.resumeToken }) { token, receive in
      request.resumeToken = token
      try await stub.exportLedger(request, options: options) { chunks in
        for try await chunk in chunks { try await receive(chunk) }
      }
    }.run(after: resumeToken, body)
  }

  /// Recomputes the balances of one user, or of all, and streams the discrepancies to a closure.
  ///
  /// Each message has a discrepancy, or only the progress so far. The call is cancelled when the
  /// closure returns.
  ///
  /// - Parameters:
  ///   - user: The user to verify; `nil` means all.
  ///   - timeout: The time limit of the whole call, which replaces the client's timeout; `nil`
  ///     means no limit.
  ///   - body: The closure that reads the messages.
  /// - Returns: The closure's result.
  public func verifyLedger<Value>(
    of user: UUID? = nil, timeout: Duration? = nil,
    _ body: (MessageStream<VerifyLedgerResponse>) async throws -> Value
  ) async throws -> Value {
    var options = options
    options.timeout = timeout
    return try await stub.verifyLedger(
      VerifyLedgerRequest(userID: user?.wireText ?? ""), options: options, body)
  }

  /// Returns the versions and the current load of the server and its database.
  public func serverInfo() async throws(RPCError) -> GetServerInfoResponse {
    try await stub.getServerInfo(GetServerInfoRequest(), options: options)
  }
}

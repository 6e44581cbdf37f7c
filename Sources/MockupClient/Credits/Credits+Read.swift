public import FoundationEssentials
public import MockupAPI
public import TTRPC

extension Credits {
  /// Returns a user's credits in a year and in one of its months.
  ///
  /// - Parameters:
  ///   - user: The owner of the credits. The call fails with NOT_FOUND if the user is unknown.
  ///   - year: The year in UTC; `nil` means the current year.
  ///   - month: The month in UTC, 1 to 12; `nil` means the current month's number.
  public func usage(
    of user: UUID, year: Int? = nil, month: Int? = nil
  ) async throws(RPCError) -> GetCreditUsageResponse {
    let request = GetCreditUsageRequest(
      userID: user.wireText, year: try .wire(year ?? 0, "year"),
      month: try .wire(month ?? 0, "month"))
    return try await stub.getCreditUsage(request, options: options)
  }

  /// Returns a user's ledger, the newest entry first.
  ///
  /// The ledger is fetched page by page while it is iterated over.
  ///
  /// - Parameters:
  ///   - user: The owner of the ledger. The iteration fails with NOT_FOUND if the user is unknown.
  ///   - year: Only entries of this year; `nil` means every year.
  ///   - month: Only entries of this month of each year, 1 to 12; `nil` means every month.
  public func ledger(
    of user: UUID, year: Int? = nil, month: Int? = nil
  ) -> PagedList<CreditUsageEntry> {
    PagedList { token throws(RPCError) in
      let page = try await ledgerPage(
        of: user, year: year, month: month, count: Int(listPageSize), after: token)
      return (page.entries, page.nextPageToken)
    }
  }

  /// Returns one page of a user's ledger, the newest entry first.
  ///
  /// Use it to show one page at a time. To read everything, iterate over
  /// ``ledger(of:year:month:)``.
  ///
  /// - Parameters:
  ///   - user: The owner of the ledger. The call fails with NOT_FOUND if the user is unknown.
  ///   - year: Only entries of this year; `nil` means every year.
  ///   - month: Only entries of this month of each year, 1 to 12; `nil` means every month.
  ///   - count: The maximum number of entries, 1 to 1000.
  ///   - token: The `nextPageToken` of the previous page; empty for the first page.
  public func ledgerPage(
    of user: UUID, year: Int? = nil, month: Int? = nil, count: Int, after token: String = ""
  ) async throws(RPCError) -> ListCreditUsageResponse {
    try await stub.listCreditUsage(
      ListCreditUsageRequest(
        userID: user.wireText, year: try .wire(year ?? 0, "year"),
        month: try .wire(month ?? 0, "month"), pageSize: try .wire(count, "count"),
        pageToken: token),
      options: options)
  }

  /// Returns a user's reservations in their current state, the newest first.
  ///
  /// The reservations are fetched page by page while they are iterated over.
  ///
  /// - Parameters:
  ///   - user: The owner of the reservations. The iteration fails with NOT_FOUND if the user is
  ///     unknown.
  ///   - states: Only reservations in these states; an empty array means every state.
  ///   - group: Only reservations of this group; `nil` means all.
  ///   - mockup: Only reservations for this mockup; `nil` means all.
  public func reservations(
    of user: UUID, in states: [ReservationState] = [], group: UUID? = nil, mockup: UUID? = nil
  ) -> PagedList<Reservation> {
    PagedList { token throws(RPCError) in
      let request = ListReservationsRequest(
        userID: user.wireText, states: states, groupID: group?.wireText ?? "",
        mockupID: mockup?.wireText ?? "", pageSize: listPageSize, pageToken: token)
      let page = try await stub.listReservations(request, options: options)
      return (page.reservations, page.nextPageToken)
    }
  }

  /// Returns one page of a user's reservations, the newest first.
  ///
  /// Use it to show one page at a time. To read everything, iterate over
  /// ``reservations(of:in:group:mockup:)``.
  ///
  /// - Parameters:
  ///   - user: The owner of the reservations. The call fails with NOT_FOUND if the user is unknown.
  ///   - states: Only reservations in these states; an empty array means every state.
  ///   - count: The maximum number of reservations, 1 to 1000.
  ///   - token: The `nextPageToken` of the previous page; empty for the first page.
  public func reservationsPage(
    of user: UUID, in states: [ReservationState] = [], count: Int, after token: String = ""
  ) async throws(RPCError) -> ListReservationsResponse {
    try await stub.listReservations(
      ListReservationsRequest(
        userID: user.wireText, states: states, pageSize: try .wire(count, "count"),
        pageToken: token),
      options: options)
  }

  /// Exports a user's ledger, the oldest entry first.
  ///
  /// The export has no time limit: the client's timeout does not apply, and the closure may take
  /// any time. At most three exports with slow closures should run on one client at the same time,
  /// since their unread chunks share 16 MiB. After an error, another export can continue after the
  /// last chunk that was processed.
  ///
  /// - Parameters:
  ///   - user: The owner of the ledger. The call fails with NOT_FOUND if the user is unknown.
  ///   - year: Only entries of this year; `nil` means every year.
  ///   - month: Only entries of this month of each year, 1 to 12; `nil` means every month.
  ///   - resumeToken: The token of the last chunk that was processed; empty to export from the
  ///     beginning.
  ///   - body: The closure that processes a chunk: some entries, and the token to continue after
  ///     them.
  /// - Throws: `RPCError`, or the error of the closure, which ends the export.
  public func export(
    of user: UUID, year: Int? = nil, month: Int? = nil, after resumeToken: String = "",
    _ body: (ExportCreditUsageResponse) async throws -> Void
  ) async throws {
    var request = ExportCreditUsageRequest(
      userID: user.wireText, year: try .wire(year ?? 0, "year"),
      month: try .wire(month ?? 0, "month"))
    var options = options
    options.timeout = nil
    try await ChunkedExport(token: { $0.resumeToken }) { token, receive in
      request.resumeToken = token
      try await stub.exportCreditUsage(request, options: options) { chunks in
        for try await chunk in chunks { try await receive(chunk) }
      }
    }.run(after: resumeToken, body)
  }
}

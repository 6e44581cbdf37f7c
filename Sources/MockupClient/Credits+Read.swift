public import FoundationEssentials
public import MockupAPI
public import TTRPC

extension Credits {
  /// A user's credits in a year and one of its months.
  ///
  /// - Parameters:
  ///   - year: `nil`: this one.
  ///   - month: 1 to 12; `nil`: this one's number.
  public func usage(
    of user: UUID, year: Int? = nil, month: Int? = nil
  ) async throws(RPCError) -> GetCreditUsageResponse {
    let request = GetCreditUsageRequest(
      userID: user.wireText, year: try .wire(year ?? 0, "year"),
      month: try .wire(month ?? 0, "month"))
    return try await stub.getCreditUsage(request, options: options)
  }

  /// A user's ledger, the newest entry first, fetched page by page as it is read.
  ///
  /// - Parameters:
  ///   - year: Only this one; `nil`: all.
  ///   - month: Only this one of each year, 1 to 12; `nil`: all.
  public func ledger(of user: UUID, year: Int? = nil, month: Int? = nil) -> Ledger {
    Ledger(credits: self, user: user, year: year, month: month)
  }

  func page(
    of ledger: Ledger, token: String
  ) async throws(RPCError) -> ListCreditUsageResponse {
    let request = ListCreditUsageRequest(
      userID: ledger.user.wireText, year: try .wire(ledger.year ?? 0, "year"),
      month: try .wire(ledger.month ?? 0, "month"), pageSize: Ledger.pageSize, pageToken: token)
    return try await stub.listCreditUsage(request, options: options)
  }

  /// A user's reservations as they stand, the newest first, fetched page by page as they are read.
  ///
  /// - Parameters:
  ///   - states: Only in these; none: in every state.
  ///   - group: Only of this group; `nil`: all.
  ///   - mockup: Only for this mockup; `nil`: all.
  public func reservations(
    of user: UUID, in states: [ReservationState] = [], group: UUID? = nil, mockup: UUID? = nil
  ) -> Reservations {
    Reservations(
      credits: self,
      request: ListReservationsRequest(
        userID: user.wireText, states: states, groupID: group?.wireText ?? "",
        mockupID: mockup?.wireText ?? "", pageSize: Reservations.pageSize))
  }

  /// Reads a user's ledger, the oldest entry first, as fast as the closure takes it.
  ///
  /// - Parameters:
  ///   - year: Only this one; `nil`: all.
  ///   - resumeToken: Of the last piece that was taken, where an export broke off; empty: from the
  ///     beginning.
  ///   - body: Takes a piece: some entries, and the token behind them.
  public func export(
    of user: UUID, year: Int? = nil, after resumeToken: String = "",
    _ body: (ExportCreditUsageResponse) async throws -> Void
  ) async throws {
    let request = ExportCreditUsageRequest(
      userID: user.wireText, year: try .wire(year ?? 0, "year"), resumeToken: resumeToken)
    // As long as it takes.
    var options = options
    options.timeout = nil
    try await stub.exportCreditUsage(request, options: options) { pieces in
      for try await piece in pieces { try await body(piece) }
    }
  }
}

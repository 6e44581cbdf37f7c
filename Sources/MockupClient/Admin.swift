public import FoundationEssentials
public import MockupAPI
public import TTRPC

/// The books as those see them who look after them.
///
/// All throw ``RPCError``; `proto/mockups/v1/admin.proto` says with which codes.
public struct Admin: Sendable {
  let stub: AdminServiceClient
  let options: CallOptions

  /// All users' credits in a year and one of its months, fetched page by page as they are read.
  ///
  /// - Parameters:
  ///   - year: `nil`: this one.
  ///   - month: 1 to 12; `nil`: this one's number.
  ///   - activeOnly: Only users who used or hold something in the year.
  ///   - softLimitPassedOnly: Only users whose month is above its soft limit.
  ///   - availableAtMost: Only users with at most so many credits available; `nil`: all.
  ///   - user: Only this one; `nil`: all.
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
        availableAtMost: availableAtMost.map(Int64.init), pageSize: UsageReport.pageSize,
        userID: user?.wireText ?? ""))
  }

  /// Sets a user's budget, soft limit, or both. What is `nil` stays as it is.
  public func setBudget(
    of user: UUID, annual: Int? = nil, monthly: Int? = nil
  ) async throws(RPCError) -> SetBudgetResponse {
    var request = SetBudgetRequest(userID: user.wireText)
    if let annual { request.annualBudget = try .wire(annual, "annual") }
    if let monthly { request.monthlySoftLimit = try .wire(monthly, "monthly") }
    return try await stub.setBudget(request, options: options)
  }

  /// Decides what became of a reservation that was dispatched and never settled.
  ///
  /// - Parameters:
  ///   - credits: What the vendor charged; 0 gives all of it back.
  ///   - resolutionID: Under which the call can be sent again; `nil`: the reservation's own id.
  ///   - allowOverrun: More than is held may be charged, as far as it is available.
  public func resolve(
    _ reservation: UUID, of user: UUID, credits: Int, resolutionID: UUID? = nil,
    allowOverrun: Bool = false
  ) async throws(RPCError) -> ResolveReservationResponse {
    try await stub.resolveReservation(
      ResolveReservationRequest(
        userID: user.wireText, reservationID: reservation.wireText,
        credits: try .wire(credits, "credits"), resolutionID: resolutionID?.wireText ?? "",
        allowOverrun: allowOverrun),
      options: options)
  }

  /// Recomputes one user's balances, or all, and runs a closure with what differs and how far it is, as
  /// it becomes known. Leaving the closure ends it.
  ///
  /// - Parameter timeout: How long it may take in all, in place of the client's limit for one call;
  ///   `nil`: as long as it takes.
  public func verifyLedger<Value>(
    of user: UUID? = nil, timeout: Duration? = nil,
    _ body: (MessageStream<VerifyLedgerResponse>) async throws -> Value
  ) async throws -> Value {
    var options = options
    options.timeout = timeout
    return try await stub.verifyLedger(
      VerifyLedgerRequest(userID: user?.wireText ?? ""), options: options, body)
  }

  /// The server, its database, and what it is doing now.
  public func serverInfo() async throws(RPCError) -> GetServerInfoResponse {
    try await stub.getServerInfo(GetServerInfoRequest(), options: options)
  }
}

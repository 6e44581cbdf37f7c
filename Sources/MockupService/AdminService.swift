public import FoundationEssentials
public import MockupAPI
internal import Mockups
public import MockupStore
public import TTRPC

/// What the server's process is, and does just now.
public struct ServerStatus: Sendable {
  public var version: String
  public var startedAt: Date
  public var processID: Int32
  public var openConnections: Int
  public var callsInFlight: Int

  public init(
    version: String, startedAt: Date, processID: Int32, openConnections: Int, callsInFlight: Int
  ) {
    self.version = version
    self.startedAt = startedAt
    self.processID = processID
    self.openConnections = openConnections
    self.callsInFlight = callsInFlight
  }
}

/// Answers `mockups.v1.AdminService` from the books.
public struct AdminService: AdminServiceHandler {
  /// How many users' books are recomputed at a time: seconds at most, whatever their ledgers.
  static let usersAtATime: Int32 = 100

  private let store: AdminStore
  private let limit: ResponseLimit
  private let status: @Sendable () -> ServerStatus

  /// - Parameter status: Tells how the server is, whenever it is asked.
  public init(
    store: AdminStore, limit: ResponseLimit = ResponseLimit(),
    status: @escaping @Sendable () -> ServerStatus
  ) {
    self.store = store
    self.limit = limit
    self.status = status
  }

  public func getUsageReport(
    _ request: GetUsageReportRequest, context: ServerContext
  ) async throws -> GetUsageReportResponse {
    let (query, cursor) = try request.query()
    let count = try RequestFields.pageSize(request.pageSize, "page_size")
    var page = try await answer(context) { () throws(CreditError) in
      try await store.usageReport(query, after: cursor, count: count)
    }
    let (users, cutAfter) = try limit.page(
      of: page.users, { "the line of user \($0.userID.wireText)" }, { MockupAPI.UserUsage($0) })
    if let cutAfter { page.next = UsageReportPage.Cursor(cutAfter) }
    return GetUsageReportResponse(users, of: page, query)
  }

  public func setBudget(
    _ request: SetBudgetRequest, context: ServerContext
  ) async throws -> SetBudgetResponse {
    let change = try request.change()
    let outcome = try await answer(context) { () throws(CreditError) in
      try await store.setBudget(
        of: change.userID, annualBudget: change.annual, monthlySoftLimit: change.monthly,
        changedBy: "\(context.peer.userID):\(context.peer.processID)")
    }
    return SetBudgetResponse(outcome)
  }

  public func resolveReservation(
    _ request: ResolveReservationRequest, context: ServerContext
  ) async throws -> ResolveReservationResponse {
    let resolution = try request.resolution()
    return ResolveReservationResponse(
      try await answer(context) { () throws(CreditError) in
        try await store.resolve(resolution)
      })
  }

  public func verifyLedger(
    _ request: VerifyLedgerRequest, responses: ResponseWriter<VerifyLedgerResponse>,
    context: ServerContext
  ) async throws {
    // It reads, so it can be asked for again: nobody waits for it when the server stops.
    context.endAtDrain()
    if let userID = try RequestFields.optionalUUID(request.userID, "user_id") {
      let found = try await answer(context) { () throws(CreditError) in
        try await store.verify(userID)
      }
      try await report(found, verified: 1, before: 0, to: responses)
      return
    }
    var verified: Int64 = 0
    var last: UUID?
    repeat {
      let step = try await answer(context) { [last] () throws(CreditError) in
        try await store.verify(after: last, count: Self.usersAtATime)
      }
      let before = verified
      verified += Int64(step.users)
      last = step.last
      try await report(step.discrepancies, verified: verified, before: before, to: responses)
    } while last != nil
  }

  public func getServerInfo(
    _ request: GetServerInfoRequest, context: ServerContext
  ) async throws -> GetServerInfoResponse {
    let facts = try await answer(context) { () throws(CreditError) in try await store.facts() }
    return GetServerInfoResponse(facts, status())
  }

  /// Tells what was found, and then how far it is.
  private func report(
    _ discrepancies: [MockupStore.Discrepancy], verified: Int64, before: Int64,
    to responses: ResponseWriter<VerifyLedgerResponse>
  ) async throws {
    for discrepancy in discrepancies {
      try await responses.write(
        VerifyLedgerResponse(
          discrepancy: MockupAPI.Discrepancy(discrepancy), usersVerified: before))
    }
    try await responses.write(VerifyLedgerResponse(usersVerified: verified))
  }

  private func answer<Value>(
    _ context: ServerContext, _ work: () async throws(CreditError) -> Value
  ) async throws(RPCError) -> Value {
    do {
      return try await work()
    } catch {
      throw RPCError(error, logger: context.logger)
    }
  }
}

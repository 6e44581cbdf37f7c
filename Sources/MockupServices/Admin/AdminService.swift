public import FoundationEssentials
public import MockupAPI
internal import MockupCore
public import MockupDatabase
internal import Postgres
public import TTRPC

/// The identity and the current load of the server's process.
public struct ServerStatus: Sendable {
  /// The version of the program.
  public var version: String
  /// The time at which the process started.
  public var startedAt: Date
  /// The process id.
  public var processID: Int32
  /// The number of open connections.
  public var openConnections: Int
  /// The number of calls in flight, on all connections.
  public var callsInFlight: Int

  /// Creates a status from its values.
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

/// The implementation of `mockups.v1.AdminService`.
public struct AdminService: AdminServiceHandler {
  /// The number of users whose balances are recomputed in one statement.
  ///
  /// A statement takes a few seconds at most, however long the ledgers are.
  static let usersPerStatement: Int32 = 100

  /// The maximum number of calls that read alerts from one database at the same time.
  private static let maxConcurrentReads = 8

  let store: AdminStore
  let alerts: AlertFeed
  let watchers: Watchers
  /// The limit of each partition.
  let readers = (0..<Pool.maximumPartitions).map { _ in
    AsyncSemaphore(Self.maxConcurrentReads)
  }
  /// The limit of lists of all users, which wait for all partitions.
  let listReaders = AsyncSemaphore(Self.maxConcurrentReads)
  let limit: ResponseLimit
  private let hostName: String
  private let status: @Sendable () -> ServerStatus

  /// Creates the service.
  ///
  /// - Parameters:
  ///   - store: The store of reports, budgets and verification.
  ///   - alerts: The alerts that are listed and watched.
  ///   - watchers: The watches of the server, which the program wakes when alerts were written.
  ///   - limit: The maximum size of a response.
  ///   - hostName: The name of the host, for the record of budget changes.
  ///   - status: Returns the current status of the server's process.
  public init(
    store: AdminStore, alerts: AlertFeed, watchers: Watchers,
    limit: ResponseLimit = ResponseLimit(), hostName: String,
    status: @escaping @Sendable () -> ServerStatus
  ) {
    self.store = store
    self.alerts = alerts
    self.watchers = watchers
    self.limit = limit
    self.hostName = hostName
    self.status = status
  }

  /// Returns a page of the report on all users' credits.
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

  /// Returns the credits of a user in each day or month of a range.
  public func getUsageHistory(
    _ request: GetUsageHistoryRequest, context: ServerContext
  ) async throws -> GetUsageHistoryResponse {
    let query = try request.query()
    return GetUsageHistoryResponse(
      try await answer(context) { () throws(CreditError) in
        try await store.usageHistory(query)
      }, of: query)
  }

  /// Sets a user's annual budget, monthly soft limit, or both.
  ///
  /// The peer's uid and process id, and the name of the host, are recorded with the change.
  public func setBudget(
    _ request: SetBudgetRequest, context: ServerContext
  ) async throws -> SetBudgetResponse {
    let change = try request.change()
    let outcome = try await answer(context) { () throws(CreditError) in
      try await store.setBudget(
        of: change.userID, annualBudget: change.annual, monthlySoftLimit: change.monthly,
        changedBy: "\(context.peer.userID):\(context.peer.processID)@\(hostName)",
        isTrial: request.validateOnly)
    }
    return SetBudgetResponse(outcome)
  }

  /// Settles a reservation that is unresolved.
  public func resolveReservation(
    _ request: ResolveReservationRequest, context: ServerContext
  ) async throws -> ResolveReservationResponse {
    let resolution = try request.resolution()
    return ResolveReservationResponse(
      try await answer(context) { () throws(CreditError) in
        try await store.resolve(resolution, isTrial: request.validateOnly)
      })
  }

  /// Recomputes the balances of one user or of all, and sends the discrepancies and the progress.
  public func verifyLedger(
    _ request: VerifyLedgerRequest, responses: ResponseWriter<VerifyLedgerResponse>,
    context: ServerContext
  ) async throws {
    // A verification only reads and can be repeated, so a server that stops does not wait for it.
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
        try await store.verify(after: last, count: Self.usersPerStatement)
      }
      let before = verified
      verified += Int64(step.users)
      last = step.last
      try await report(step.discrepancies, verified: verified, before: before, to: responses)
    } while last != nil
  }

  /// Returns the versions and the current load of the server and its database.
  public func getServerInfo(
    _ request: GetServerInfoRequest, context: ServerContext
  ) async throws -> GetServerInfoResponse {
    let facts = try await answer(context) { () throws(CreditError) in try await store.facts() }
    return GetServerInfoResponse(facts, status())
  }

  /// Sends the discrepancies, and then the number of users that have been verified.
  private func report(
    _ discrepancies: [MockupDatabase.Discrepancy], verified: Int64, before: Int64,
    to responses: ResponseWriter<VerifyLedgerResponse>
  ) async throws {
    for discrepancy in discrepancies {
      try await responses.write(
        VerifyLedgerResponse(
          discrepancy: MockupAPI.Discrepancy(discrepancy), usersVerified: before))
    }
    try await responses.write(VerifyLedgerResponse(usersVerified: verified))
  }
}

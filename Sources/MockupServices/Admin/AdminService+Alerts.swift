internal import FoundationEssentials
public import MockupAPI
internal import MockupDatabase
internal import Postgres
public import TTRPC

extension AdminService {
  /// Returns a page of the alerts about the credits of one user or of all users.
  public func listAlerts(
    _ request: ListAlertsRequest, context: ServerContext
  ) async throws -> ListAlertsResponse {
    let userID = try RequestFields.optionalUUID(request.userID, "user_id")
    let count = try RequestFields.pageSize(request.pageSize, "page_size")
    guard let userID else { return try await listAlerts(request, count, context) }
    let before = try PageToken.alerts(
      request.pageToken, of: userID, count: 1, "page_token")?[0]
    // Reads one alert more than the page has, to find out whether there is a next page.
    let partition = try await answer(context) { () throws(PostgresError) in
      try await alerts.partition(of: userID)
    }
    let rows = try await read(context, readers[partition]) { () throws(PostgresError) in
      try await alerts.alerts(of: userID, before: before, count: count + 1)
    }
    if rows.isEmpty {
      try await answer(context) { () throws(CreditError) in try await store.requireUser(userID) }
    }
    return try response(rows, of: userID, count) { page in
      page.last.map { [$0.position] } ?? []
    }
  }

  /// Returns a page of the alerts about the credits of all users.
  private func listAlerts(
    _ request: ListAlertsRequest, _ count: Int32, _ context: ServerContext
  ) async throws -> ListAlertsResponse {
    let partitions = try await answer(context) { () throws(PostgresError) in
      try await alerts.partitionCount()
    }
    let before = try PageToken.alerts(
      request.pageToken, of: nil, count: partitions, "page_token")
    let rows = try await read(context, listReaders) { () throws(PostgresError) in
      try await alerts.alerts(before: before, count: count + 1)
    }
    return try response(rows, of: nil, count) { page in
      alerts.positions(after: page, from: before)
    }
  }

  /// Returns the response for a page, of which one alert more was read.
  private func response(
    _ rows: [MockupDatabase.Alert], of userID: UUID?, _ count: Int32,
    _ positions: (ArraySlice<MockupDatabase.Alert>) -> [Int64]
  ) throws -> ListAlertsResponse {
    let page = rows.prefix(Int(count))
    let (messages, cutAfter) = try limit.page(
      of: page, { "alert \($0.id)" }, { MockupAPI.Alert($0) })
    guard cutAfter != nil || rows.count > page.count else {
      return ListAlertsResponse(alerts: messages, nextPageToken: "")
    }
    return ListAlertsResponse(
      alerts: messages,
      nextPageToken: PageToken.text(
        alerts: positions(page.prefix(messages.count)), of: userID))
  }

  /// Sends the alerts about all users' credits until the caller ends the call.
  public func watchAlerts(
    _ request: WatchAlertsRequest, responses: ResponseWriter<WatchAlertsResponse>,
    context: ServerContext
  ) async throws {
    context.endAtDrain()
    let partitions = try await answer(context) { () throws(PostgresError) in
      try await alerts.partitionCount()
    }
    let token = try PageToken.alertWatch(request.resumeToken, count: partitions, "resume_token")
    let watch = AlertStream(
      service: self, partitions: partitions, responses: responses, context: context)
    try await watch.run(after: token)
  }

  /// Reads alerts, with a limit on concurrent reads.
  func read<Value>(
    _ context: ServerContext, _ readers: AsyncSemaphore,
    _ work: () async throws(PostgresError) -> Value
  ) async throws(RPCError) -> Value {
    try await answer(context) { () throws(PostgresError) in try await readers.withPermit(work) }
  }
}

extension MockupAPI.Alert {
  init(_ alert: MockupDatabase.Alert) {
    self.init(
      alertID: alert.id, userID: alert.userID.wireText, userLabel: alert.userLabel ?? "",
      threshold: alert.threshold, year: alert.year, month: alert.month ?? 0,
      credits: alert.credits, limit: alert.limit, createdAt: Timestamp(alert.createdAt))
  }
}

internal import FoundationEssentials
public import MockupAPI
internal import MockupDatabase
internal import Postgres
public import TTRPC

extension AdminService {
  /// The number of alerts that a watch reads at a time.
  private static let alertsPerRead: Int32 = 100

  /// Returns a page of the alerts about the credits of one user or of all users.
  public func listAlerts(
    _ request: ListAlertsRequest, context: ServerContext
  ) async throws -> ListAlertsResponse {
    let userID = try RequestFields.optionalUUID(request.userID, "user_id")
    let count = try RequestFields.pageSize(request.pageSize, "page_size")
    let before = try PageToken.alert(request.pageToken, "page_token")
    // Reads one alert more than the page has, to find out whether there is a next page.
    let rows = try await read(context) { () throws(PostgresError) in
      try await alerts.alerts(of: userID, before: before, count: count + 1)
    }
    if rows.isEmpty, let userID {
      try await answer(context) { () throws(CreditError) in try await store.requireUser(userID) }
    }
    let page = rows.prefix(Int(count))
    let (messages, cutAfter) = try limit.page(
      of: page, { "alert \($0.id)" }, { MockupAPI.Alert($0) })
    let last = cutAfter ?? (rows.count > page.count ? page.last : nil)
    return ListAlertsResponse(
      alerts: messages, nextPageToken: last.map { PageToken.text(alert: $0.id) } ?? "")
  }

  /// Sends the alerts about all users' credits until the caller ends the call.
  public func watchAlerts(
    _ request: WatchAlertsRequest, responses: ResponseWriter<WatchAlertsResponse>,
    context: ServerContext
  ) async throws {
    let token = try PageToken.alert(request.resumeToken, "resume_token")
    context.endAtDrain()

    // The watch is registered before the last alert is read, so that every later one wakes it.
    let watch = watchers.watch(.alerts)
    defer { watchers.forget(watch) }
    let newest = try await read(context) { () throws(PostgresError) in try await alerts.lastID() }
    var last = token ?? newest
    guard last <= newest else {
      throw RPCError.invalid("resume_token", "is later than the last alert")
    }
    try await responses.write(WatchAlertsResponse(resumeToken: PageToken.text(alert: last)))

    for await _ in watch.wakes {
      var isLastPage = false
      while !isLastPage {
        let page = try await read(context) { [last] () throws(PostgresError) in
          try await alerts.alerts(after: last, count: Self.alertsPerRead)
        }
        for alert in page {
          last = alert.id
          let response = WatchAlertsResponse(
            alert: MockupAPI.Alert(alert), resumeToken: PageToken.text(alert: last))
          try await responses.write(limit.checked(response, "alert \(alert.id)"))
        }
        isLastPage = page.count < Int(Self.alertsPerRead)
      }
    }
    // The wakes end only when the call's task is cancelled.
    throw CancellationError()
  }

  private func read<Value>(
    _ context: ServerContext, _ work: () async throws(PostgresError) -> Value
  ) async throws(RPCError) -> Value {
    do throws(PostgresError) {
      return try await readers.withPermit(work)
    } catch {
      throw RPCError(error, logger: context.logger)
    }
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

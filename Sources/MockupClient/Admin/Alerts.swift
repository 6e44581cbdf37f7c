public import FoundationEssentials
public import MockupAPI
internal import TTRPC

/// An alert of a watch.
public struct AlertEvent: Sendable, Hashable {
  /// The alert; `nil` in the first event of a watch, which says that the watch has begun.
  public let alert: Alert?
  /// The token with which another watch continues after this alert.
  public let resumeToken: String
}

extension Admin {
  /// Returns the alerts about the credits of one user or of all users, the newest first.
  ///
  /// An alert says that a user's used and held credits have reached 50, 80, 90 or 100 percent of
  /// the annual budget, or of the soft limit in a month. The alerts are fetched page by page while
  /// they are iterated over.
  ///
  /// - Parameter user: Only alerts about this user; `nil` means all. The iteration fails with
  ///   NOT_FOUND if the user is unknown.
  public func alerts(of user: UUID? = nil) -> PagedList<Alert> {
    PagedList { token throws(RPCError) in
      let request = ListAlertsRequest(
        userID: user?.wireText ?? "", pageSize: listPageSize, pageToken: token)
      let page = try await stub.listAlerts(request, options: options)
      return (page.alerts, page.nextPageToken)
    }
  }

  /// Returns the alerts about all users' credits as they are written.
  ///
  /// No alert is missed, and none is delivered twice.
  ///
  /// - Parameter token: The token of the last event that was processed; `nil` begins now.
  public func watchAlerts(from token: String? = nil) -> Watch<AlertEvent> {
    let options = options.endless
    let stream = RestartingStream<WatchAlertsResponse>(retry: retry, token: { $0.resumeToken }) {
      token, receive in
      try await stub.watchAlerts(
        WatchAlertsRequest(resumeToken: token ?? ""), options: options
      ) { responses in
        for try await response in responses { try await receive(response) }
      }
    }
    return Watch(stream, after: token) { response in
      AlertEvent(alert: response.alert, resumeToken: response.resumeToken)
    }
  }
}

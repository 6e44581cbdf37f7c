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

/// The alerts about all users' credits, delivered as they are written.
///
/// No alert is missed, and none is delivered twice. The watch restarts after the last event that
/// was read if the server or its database becomes unavailable. The number of restarts is not
/// limited; the pauses between them are those of the client's `RetryPolicy`. The policy's limit of
/// attempts applies until the watch has begun for the first time. With `RetryPolicy.never`, the
/// watch is never restarted.
public struct AlertWatch: AsyncSequence, Sendable {
  /// One alert.
  public typealias Element = AlertEvent

  let admin: Admin
  let token: String?

  /// Creates an iterator, which starts a watch of its own at its first element.
  public func makeAsyncIterator() -> Iterator { Iterator(self) }

  /// The iterator of a watch, which ends the watch when it is released.
  public struct Iterator: AsyncIteratorProtocol {
    private let watch: AlertWatch
    private var running: RunningStream<AlertEvent>?

    init(_ watch: AlertWatch) {
      self.watch = watch
    }

    /// Waits for the next alert.
    ///
    /// - Returns: The alert, or `nil` after an error or if the task was cancelled.
    /// - Throws: `RPCError` if the watch failed and a restart cannot help.
    public mutating func next() async throws -> AlertEvent? {
      let running =
        running
        ?? RunningStream { [watch] receive in
          try await watch.stream.run(after: watch.token) { response in
            await receive(AlertEvent(alert: response.alert, resumeToken: response.resumeToken))
          }
        }
      self.running = running
      return try await running.next()
    }
  }

  fileprivate var stream: RestartingStream<WatchAlertsResponse> {
    RestartingStream(retry: admin.retry, token: { $0.resumeToken }) { token, receive in
      var options = admin.options
      options.timeout = nil
      try await admin.stub.watchAlerts(
        WatchAlertsRequest(resumeToken: token ?? ""), options: options
      ) { responses in
        for try await response in responses { try await receive(response) }
      }
    }
  }
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
  /// - Parameter token: The token of the last event that was processed; `nil` begins now.
  public func watchAlerts(from token: String? = nil) -> AlertWatch {
    AlertWatch(admin: self, token: token)
  }
}

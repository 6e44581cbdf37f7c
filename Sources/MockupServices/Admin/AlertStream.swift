internal import MockupAPI
internal import MockupDatabase
internal import NIOConcurrencyHelpers
internal import Postgres
internal import TTRPC

/// The stream of one call of WatchAlerts, which merges the alerts of all partitions.
///
/// Each partition is read by a task of its own, so that one that hangs or fails delays only its own
/// alerts. The token has the position in each partition after the alerts that were sent. So a watch
/// that continues with it misses no alert, and gets none twice.
struct AlertStream: Sendable {
  /// The number of alerts that are read at a time.
  private static let alertsPerRead: Int32 = 100

  let service: AdminService
  let partitions: Int
  let responses: ResponseWriter<WatchAlertsResponse>
  let context: ServerContext
  /// The position in each partition after the last alert that was sent.
  private let positions = NIOLockedValueBox<[Int64]>([])
  /// The partitions whose last read failed.
  private let failing = NIOLockedValueBox<Set<Int>>([])
  /// Lets one task write at a time, so that tokens and alerts are sent in the same order.
  private let writing = AsyncSemaphore(1)

  init(
    service: AdminService, partitions: Int, responses: ResponseWriter<WatchAlertsResponse>,
    context: ServerContext
  ) {
    self.service = service
    self.partitions = partitions
    self.responses = responses
    self.context = context
  }

  /// Sends alerts until the call's task is cancelled.
  ///
  /// - Parameter token: The position in each partition; nil begins now.
  func run(after token: [Int64]?) async throws {
    // The watches are registered before the last alerts are read, so that later ones wake them.
    let watches = (0..<partitions).map { _ in service.watchers.watch(.alerts) }
    defer { for watch in watches { service.watchers.forget(watch) } }
    var begin = token ?? []
    if token == nil || partitions == 1 {
      for partition in 0..<partitions {
        let last = try await lastPosition(in: partition)
        if let token { try check(token[partition], isUpTo: last) } else { begin.append(last) }
      }
    }
    positions.withLockedValue { [begin] in $0 = begin }
    try await responses.write(WatchAlertsResponse(resumeToken: PageToken.text(alertWatch: begin)))

    try await withThrowingTaskGroup(of: Void.self) { group in
      for (partition, watch) in watches.enumerated() {
        // Through a proxy, a token is checked later, so that a partition that hangs does not hold
        // up the others.
        let unchecked = partitions > 1 ? token?[partition] : nil
        group.addTask { try await follow(watch, in: partition, unchecked) }
      }
      defer { group.cancelAll() }
      while try await group.next() != nil {}
    }
    // The wakes end only when the call's task is cancelled.
    throw CancellationError()
  }

  /// Sends the alerts of a partition at each wake.
  ///
  /// - Parameter unchecked: A position that is refused if it is later than the last alert.
  private func follow(
    _ watch: Watchers.Watch, in partition: Int, _ unchecked: Int64?
  ) async throws {
    var unchecked = unchecked
    for await _ in watch.wakes {
      try await attempt(in: partition) {
        if let position = unchecked {
          try check(position, isUpTo: try await lastPosition(in: partition))
          unchecked = nil
        }
        try await sendNext(in: partition)
      }
    }
  }

  /// Does work in a partition, whose failure ends the stream only if all partitions are failing.
  ///
  /// After a failure, the next wake repeats the work: the partition's listener wakes all watches
  /// when it is connected again.
  private func attempt(in partition: Int, _ work: () async throws -> Void) async throws {
    do {
      try await work()
      failing.withLockedValue { _ = $0.remove(partition) }
    } catch let error as RPCError where error.code == .unavailable {
      let areAllFailing = failing.withLockedValue { failing in
        failing.insert(partition)
        return failing.count == partitions
      }
      if areAllFailing { throw error }
    }
  }

  private func sendNext(in partition: Int) async throws {
    var isLastPage = false
    while !isLastPage {
      let last = positions.withLockedValue { $0[partition] }
      let page = try await service.read(context, service.readers[partition]) {
        () throws(PostgresError) in
        try await service.alerts.alerts(after: last, in: partition, count: Self.alertsPerRead)
      }
      for alert in page {
        try await writing.withPermit { try await send(alert) }
      }
      isLastPage = page.count < Int(Self.alertsPerRead)
    }
  }

  private func send(_ alert: MockupDatabase.Alert) async throws {
    let token = positions.withLockedValue { positions in
      positions[alert.partition] = alert.position
      return PageToken.text(alertWatch: positions)
    }
    let response = WatchAlertsResponse(alert: MockupAPI.Alert(alert), resumeToken: token)
    try await responses.write(service.limit.checked(response, "alert \(alert.id)"))
  }

  private func lastPosition(in partition: Int) async throws(RPCError) -> Int64 {
    try await service.read(context, service.readers[partition]) { () throws(PostgresError) in
      try await service.alerts.lastPosition(in: partition)
    }
  }

  private func check(_ position: Int64, isUpTo last: Int64) throws(RPCError) {
    guard position <= last else {
      throw .invalid("resume_token", "is later than the last alert")
    }
  }
}

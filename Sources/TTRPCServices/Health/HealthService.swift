internal import NIOConcurrencyHelpers
public import TTRPC

/// Says whether the server, and each of its services, answers calls: `grpc.health.v1.Health`.
///
/// It finds out nothing by itself: the program says how things stand, by ``setStatus(_:of:)``.
public final class HealthService: HealthHandler {
  public typealias Status = HealthCheckResponse.ServingStatus

  /// What is known, and who wants to know.
  private struct State {
    var statuses: [String: Status]
    /// The calls of Watch that run, by service and by a number of their own.
    var watchers: [String: [Int: AsyncStream<Status>.Continuation]] = [:]
    var lastWatcher = 0
  }

  private let state: NIOLockedValueBox<State>

  /// - Parameter statuses: How things stand at first, by the services' full names; the empty name is
  ///   the server as a whole. What is not among them is unknown until its status is set.
  public init(_ statuses: [String: Status] = ["": .serving]) {
    state = NIOLockedValueBox(State(statuses: statuses))
  }

  /// Says how a service stands from now on, to those who watch it as well.
  ///
  /// - Parameter service: The full name; empty: the server as a whole.
  public func setStatus(_ status: Status, of service: String = "") {
    state.withLockedValue { state in
      state.statuses[service] = status
      // Under the lock, so that all watchers see changes in the order in which they were made.
      for watcher in state.watchers[service, default: [:]].values { watcher.yield(status) }
    }
  }

  /// How a service stands; `nil` where it is unknown.
  ///
  /// - Parameter service: The full name; empty: the server as a whole.
  public func status(of service: String = "") -> Status? {
    state.withLockedValue { $0.statuses[service] }
  }

  /// Both methods. Check is answered from memory, and so without a task: probes are many.
  public var methods: [Method] {
    [
      .immediate("Check", HealthCheckRequest.self) { request, context in
        try self.check(request, context: context)
      },
      .serverStreaming("Watch", HealthCheckRequest.self) { request, responses, context in
        try await self.watch(request, responses: responses, context: context)
      },
    ]
  }

  public func check(
    _ request: HealthCheckRequest, context: ServerContext
  ) throws -> HealthCheckResponse {
    guard let status = status(of: request.service) else {
      throw RPCError(code: .notFound, message: "unknown service")
    }
    return HealthCheckResponse(status: status)
  }

  public func watch(
    _ request: HealthCheckRequest, responses: ResponseWriter<HealthCheckResponse>,
    context: ServerContext
  ) async throws {
    context.endAtDrain()
    let (statuses, watcher) = watch(request.service)
    defer { forget(watcher, of: request.service) }
    var sent: Status?
    for await status in statuses where status != sent {
      try await responses.write(HealthCheckResponse(status: status))
      sent = status
    }
    // The statuses end with the call's task alone.
    throw CancellationError()
  }

  /// How many calls of Watch run.
  var watcherCount: Int {
    state.withLockedValue { $0.watchers.values.reduce(0) { $0 + $1.count } }
  }

  /// The status now and those that follow. Of those that a watcher has no time for, only the last is
  /// kept: it is the one that counts.
  private func watch(_ service: String) -> (statuses: AsyncStream<Status>, watcher: Int) {
    let (statuses, continuation) = AsyncStream<Status>.makeStream(
      bufferingPolicy: .bufferingNewest(1))
    let watcher = state.withLockedValue { state in
      state.lastWatcher += 1
      state.watchers[service, default: [:]][state.lastWatcher] = continuation
      continuation.yield(state.statuses[service] ?? .serviceUnknown)
      return state.lastWatcher
    }
    return (statuses, watcher)
  }

  private func forget(_ watcher: Int, of service: String) {
    state.withLockedValue { state in
      state.watchers[service]?[watcher] = nil
      // Names come from peers: none may stay behind.
      if state.watchers[service]?.isEmpty == true { state.watchers[service] = nil }
    }
  }
}

internal import NIOConcurrencyHelpers
public import TTRPC

/// A health service, `grpc.health.v1.Health`.
///
/// It reports if the server, and each of its services, can serve calls. It checks nothing itself:
/// the program sets the statuses with ``setStatus(_:of:)``.
public final class HealthService: HealthHandler {
  /// The status of a service, or of the server as a whole.
  public typealias Status = HealthCheckResponse.ServingStatus

  private struct State {
    var statuses: [String: Status]
    /// The running calls of Watch, by service and by number.
    var watchers: [String: [Int: AsyncStream<Status>.Continuation]] = [:]
    var lastWatcher = 0
  }

  private let state: NIOLockedValueBox<State>

  /// Creates a service with initial statuses; by default, the server is serving.
  ///
  /// - Parameter statuses: The statuses by the services' full names. The empty name stands for the
  ///   server as a whole. Other services are unknown until their status is set.
  public init(_ statuses: [String: Status] = ["": .serving]) {
    state = NIOLockedValueBox(State(statuses: statuses))
  }

  /// Sets the status of a service and sends it to the service's watchers.
  ///
  /// - Parameter service: The service's full name, or an empty string for the server as a whole.
  public func setStatus(_ status: Status, of service: String = "") {
    state.withLockedValue { state in
      state.statuses[service] = status
      // Under the lock, so that all watchers see the changes in the same order.
      for watcher in state.watchers[service, default: [:]].values { watcher.yield(status) }
    }
  }

  /// Returns the status of a service, or nil if it is unknown.
  ///
  /// - Parameter service: The service's full name, or an empty string for the server as a whole.
  public func status(of service: String = "") -> Status? {
    state.withLockedValue { $0.statuses[service] }
  }

  /// Returns the current status of the service that the request names.
  ///
  /// - Throws: ``StatusCode/notFound`` if the service is unknown.
  public func check(
    _ request: HealthCheckRequest, context: ServerContext
  ) throws -> HealthCheckResponse {
    guard let status = status(of: request.service) else {
      throw RPCError(code: .notFound, message: "unknown service")
    }
    return HealthCheckResponse(status: status)
  }

  /// Sends the current status of a service, and then each new status, until the call ends.
  ///
  /// A service that is unknown has the status `serviceUnknown`. If the peer reads slowly, it gets
  /// only the latest status.
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
    // The sequence of statuses only ends when the call's task is cancelled.
    throw CancellationError()
  }

  /// The number of running calls of Watch.
  var watcherCount: Int {
    state.withLockedValue { $0.watchers.values.reduce(0) { $0 + $1.count } }
  }

  /// Registers a watcher and returns the current status and its changes.
  ///
  /// The sequence buffers one status, the latest, for a slow watcher.
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
      // Peers choose the names, so an unused entry must not stay in memory.
      if state.watchers[service]?.isEmpty == true { state.watchers[service] = nil }
    }
  }
}

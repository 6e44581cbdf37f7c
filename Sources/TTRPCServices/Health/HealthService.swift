internal import NIOConcurrencyHelpers
internal import Synchronization
public import TTRPC

/// A health service, `grpc.health.v1.Health`.
///
/// It reports if the server, and each of its services, can serve calls. It checks nothing itself:
/// the program sets the statuses with ``setStatus(_:of:)``.
public final class HealthService: HealthHandler {
  /// The status of a service, or of the server as a whole.
  public typealias Status = HealthCheckResponse.ServingStatus

  /// The status of a service, which each check reads without a lock.
  ///
  /// Event loops whose checks wait for a lock would sleep and wake for it.
  private final class AtomicStatus: Sendable {
    private let number: Synchronization.Atomic<Int32>

    init(_ status: Status) { number = .init(status.rawValue) }

    var value: Status {
      get { Status(rawValue: number.load(ordering: .acquiring)) }
      set { number.store(newValue.rawValue, ordering: .releasing) }
    }
  }

  private struct Watches {
    /// The running calls of Watch, by service and by number.
    var watchers: [String: [Int: AsyncStream<Status>.Continuation]] = [:]
    var lastWatcher = 0
  }

  private let statuses: [String: AtomicStatus]
  private let watches = NIOLockedValueBox(Watches())

  /// Creates a service with initial statuses; by default, the server is serving.
  ///
  /// - Parameter statuses: The statuses by the services' full names. The empty name stands for the
  ///   server as a whole. Other services are unknown.
  public init(_ statuses: [String: Status] = ["": .serving]) {
    self.statuses = statuses.mapValues(AtomicStatus.init)
  }

  /// Sets the status of a service and sends it to the service's watchers.
  ///
  /// - Precondition: The service had an initial status.
  /// - Parameter service: The service's full name, or an empty string for the server as a whole.
  public func setStatus(_ status: Status, of service: String = "") {
    guard let known = statuses[service] else { preconditionFailure("unknown service \(service)") }
    watches.withLockedValue { watches in
      // Under the lock, so that all watchers see the changes in the same order.
      known.value = status
      for watcher in watches.watchers[service, default: [:]].values { watcher.yield(status) }
    }
  }

  /// Returns the status of a service, or nil if it is unknown.
  ///
  /// - Parameter service: The service's full name, or an empty string for the server as a whole.
  public func status(of service: String = "") -> Status? { statuses[service]?.value }

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
    watches.withLockedValue { $0.watchers.values.reduce(0) { $0 + $1.count } }
  }

  /// Registers a watcher and returns the current status and its changes.
  ///
  /// The sequence buffers one status, the latest, for a slow watcher.
  private func watch(_ service: String) -> (statuses: AsyncStream<Status>, watcher: Int) {
    let (statuses, continuation) = AsyncStream<Status>.makeStream(
      bufferingPolicy: .bufferingNewest(1))
    let watcher = watches.withLockedValue { watches in
      watches.lastWatcher += 1
      watches.watchers[service, default: [:]][watches.lastWatcher] = continuation
      continuation.yield(status(of: service) ?? .serviceUnknown)
      return watches.lastWatcher
    }
    return (statuses, watcher)
  }

  private func forget(_ watcher: Int, of service: String) {
    watches.withLockedValue { watches in
      watches.watchers[service]?[watcher] = nil
      // Peers choose the names, so an unused entry must not stay in memory.
      if watches.watchers[service]?.isEmpty == true { watches.watchers[service] = nil }
    }
  }
}

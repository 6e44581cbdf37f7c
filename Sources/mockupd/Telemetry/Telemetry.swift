internal import CoreMetrics
internal import Instrumentation
internal import Logging
internal import MockupDatabase
internal import MockupVersion
internal import Postgres
internal import Prometheus
internal import TTRPC

/// The parts of the server whose load is read when the metrics are requested.
struct ServerLoads: Sendable {
  let pool: Pool
  let waitingChanges: @Sendable (WriteQueue) -> [Int]
  let batches: BatchLimits
}

/// The telemetry of the program: metrics, traces, and a log line for each call.
struct Telemetry: Sendable {
  private let registry = PrometheusRegistry()
  private let connections: Meter
  private let queuedBytes: Meter
  private let pendingStatements: Meter
  private let databaseUp: Meter
  private let maxWaitingChanges: Meter
  private let lostLogLines: Counter
  /// The metrics of batches and of answers to changes.
  let changes: ChangeMetrics
  /// The metrics of the credits of all users.
  let totals = CreditTotalsMetrics()

  /// Installs the metrics and tracing systems of the process, which is possible only once.
  init() {
    MetricsSystem.bootstrap(registry)
    InstrumentationSystem.bootstrap(TraceContextPropagator())
    connections = Meter(label: "ttrpc_server_connections")
    queuedBytes = Meter(label: "ttrpc_server_queued_bytes")
    pendingStatements = Meter(label: "mockupd_database_pending_statements")
    databaseUp = Meter(label: "mockupd_database_up")
    maxWaitingChanges = Meter(label: "mockupd_changes_waiting_limit")
    lostLogLines = Counter(label: "mockupd_log_lines_lost_total")
    changes = ChangeMetrics()
    Meter(label: "mockupd_build_info", dimensions: [("version", Version.text)]).set(1)
    for (label, help) in Self.helps + ChangeMetrics.helps + CreditTotalsMetrics.helps {
      registry.describe(label, help)
    }
  }

  /// Returns the interceptors that observe each call.
  ///
  /// They must come before the interceptor of the access policy, so that denied calls are observed
  /// too.
  func interceptors(_ logger: Logger, callLevel: Logger.Level) -> [any ServerInterceptor] {
    // If the lines are not logged, the interceptor would only cost time.
    let log = logger.logLevel <= callLevel ? [AccessLog(level: callLevel)] : []
    return [ServerTracing()] + log + [ServerCallMetrics()]
  }

  /// Counts a log line that was dropped because standard error is read too slowly.
  func logLineLost() {
    lostLogLines.increment()
  }

  /// Returns all metrics in the Prometheus text format.
  func text(
    _ load: ServerLoad, _ loads: ServerLoads, _ readiness: DatabaseReadiness
  ) -> [UInt8] {
    connections.set(Int64(load.openConnections))
    queuedBytes.set(Int64(load.bytesQueued))
    pendingStatements.set(Int64(loads.pool.pendingCount))
    databaseUp.set(readiness.condition == .ready ? 1 : 0)
    for (number, condition) in readiness.partitions.enumerated() {
      Meter(label: "mockupd_partition_up", dimensions: [("partition", "\(number)")])
        .set(condition == .ready ? 1 : 0)
    }
    for queue in WriteQueue.allCases {
      for (number, count) in loads.waitingChanges(queue).enumerated() {
        Meter(
          label: "mockupd_changes_waiting",
          dimensions: [("queue", queue.rawValue), ("partition", "\(number)")]
        ).set(Int64(count))
      }
    }
    maxWaitingChanges.set(Int64(loads.batches.waiting))
    return registry.text()
  }

  private static let helps: [(String, String)] = [
    ("ttrpc_server_calls_total", "Completed calls, by method and status."),
    ("ttrpc_server_call_duration_seconds", "Duration of calls, by method."),
    ("ttrpc_server_received_bytes_total", "Bytes of received messages, by method."),
    ("ttrpc_server_sent_bytes_total", "Bytes of sent messages, by method."),
    ("ttrpc_server_calls_in_flight", "Calls in flight, without those of Health.Check."),
    ("ttrpc_server_denied_total", "Calls denied by the access policy, by method."),
    ("ttrpc_server_connections", "Open connections."),
    (
      "ttrpc_server_refused_connections_total",
      "Connections closed at once because a limit was reached."
    ),
    (
      "ttrpc_server_delayed_connections_total",
      "Connections served later because their user connects too often."
    ),
    (
      "ttrpc_server_accept_errors_total",
      "Connections that could not be accepted because the process had no free descriptor."
    ),
    ("ttrpc_server_queued_bytes", "Bytes waiting to be read by handlers or by peers."),
    ("mockupd_swept_total", "Reservations and leases expired by the sweeper, by kind."),
    ("mockupd_sweep_errors_total", "Sweeps that failed, by kind."),
    ("mockupd_sweep_duration_seconds", "Duration of sweeps, by kind."),
    ("mockupd_database_pending_statements", "Statements waiting for the database."),
    ("mockupd_build_info", "The version of the program; always 1."),
    ("mockupd_database_up", "1 while the server can use its database, otherwise 0."),
    ("mockupd_partition_up", "1 while a partition completes writes, otherwise 0."),
    ("mockupd_changes_waiting", "Changes waiting for a batch, by queue and partition."),
    ("mockupd_changes_waiting_limit", "Limit of changes waiting in one queue for one partition."),
    (
      "mockupd_log_lines_lost_total",
      "Log lines dropped because standard error was read too slowly."
    ),
  ]
}

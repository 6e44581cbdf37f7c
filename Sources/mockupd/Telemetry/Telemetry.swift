internal import CoreMetrics
internal import Instrumentation
internal import Logging
internal import Postgres
internal import Prometheus
internal import TTRPC

/// The telemetry of the program: metrics, traces, and a log line for each call.
struct Telemetry: Sendable {
  private let registry = PrometheusRegistry()
  private let connections: Meter
  private let queuedBytes: Meter
  private let pendingStatements: Meter
  private let lostLogLines: Counter

  /// Installs the metrics and tracing systems of the process, which is possible only once.
  init() {
    MetricsSystem.bootstrap(registry)
    InstrumentationSystem.bootstrap(TraceContextPropagator())
    connections = Meter(label: "ttrpc_server_connections")
    queuedBytes = Meter(label: "ttrpc_server_queued_bytes")
    pendingStatements = Meter(label: "mockupd_database_pending_statements")
    lostLogLines = Counter(label: "mockupd_log_lines_lost_total")
    describe()
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
  func text(_ load: ServerLoad, _ pool: Pool) -> [UInt8] {
    connections.set(Int64(load.openConnections))
    queuedBytes.set(Int64(load.bytesQueued))
    pendingStatements.set(Int64(pool.pendingCount))
    return registry.text()
  }

  private func describe() {
    for (label, help) in [
      ("ttrpc_server_calls_total", "Completed calls, by method and status."),
      ("ttrpc_server_call_duration_seconds", "Duration of calls, by method."),
      ("ttrpc_server_received_bytes_total", "Bytes of received messages, by method."),
      ("ttrpc_server_sent_bytes_total", "Bytes of sent messages, by method."),
      ("ttrpc_server_calls_in_flight", "Calls in flight."),
      ("ttrpc_server_denied_total", "Calls denied by the access policy, by method."),
      ("ttrpc_server_connections", "Open connections."),
      (
        "ttrpc_server_refused_connections_total",
        "Connections closed at once because a limit was reached."
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
      (
        "mockupd_log_lines_lost_total",
        "Log lines dropped because standard error was read too slowly."
      ),
    ] {
      registry.describe(label, help)
    }
  }
}

internal import CoreMetrics
internal import Instrumentation
internal import Logging
internal import Postgres
internal import Prometheus
internal import TTRPC

/// What the program tells about itself while it runs: metrics, traces and a line for each call.
struct Observation: Sendable {
  private let registry = PrometheusRegistry()
  private let connections: Meter
  private let queuedBytes: Meter
  private let pendingStatements: Meter
  private let lostLogLines: Counter

  /// Takes over the process's metrics and tracing. Once for each process.
  init() {
    MetricsSystem.bootstrap(registry)
    InstrumentationSystem.bootstrap(TraceContextPropagator())
    connections = Meter(label: "ttrpc_server_connections")
    queuedBytes = Meter(label: "ttrpc_server_queued_bytes")
    pendingStatements = Meter(label: "mockupd_database_pending_statements")
    lostLogLines = Counter(label: "mockupd_log_lines_lost_total")
    describe()
  }

  /// What runs around each call, outside of the policy: denied calls are seen as well.
  func interceptors(_ logger: Logger, callLevel: Logger.Level) -> [any ServerInterceptor] {
    // A log that is not written need not be looked at for each call.
    let log = logger.logLevel <= callLevel ? [AccessLog(level: callLevel)] : []
    return [ServerTracing()] + log + [ServerCallMetrics()]
  }

  /// Counts a line that the log's reader was too slow for.
  func logLineLost() {
    lostLogLines.increment()
  }

  /// All metrics, in Prometheus' text format.
  func text(_ load: ServerLoad, _ pool: Pool) -> [UInt8] {
    connections.set(Int64(load.openConnections))
    queuedBytes.set(Int64(load.bytesQueued))
    pendingStatements.set(Int64(pool.pendingCount))
    return registry.text()
  }

  private func describe() {
    for (label, help) in [
      ("ttrpc_server_calls_total", "Calls that have ended, by method and status."),
      ("ttrpc_server_call_duration_seconds", "How long calls took, by method."),
      ("ttrpc_server_received_bytes_total", "Bytes of the messages received, by method."),
      ("ttrpc_server_sent_bytes_total", "Bytes of the messages sent, by method."),
      ("ttrpc_server_calls_in_flight", "Calls that run."),
      ("ttrpc_server_denied_total", "Calls that the policy has denied, by method."),
      ("ttrpc_server_connections", "Connections that are open."),
      (
        "ttrpc_server_refused_connections_total",
        "Connections that were closed at once, since a limit was reached."
      ),
      (
        "ttrpc_server_accept_errors_total",
        "Attempts to accept a connection for which the process had no descriptor."
      ),
      ("ttrpc_server_queued_bytes", "Bytes that wait to be read by handlers or by peers."),
      ("mockupd_swept_total", "What the sweeper has expired, by kind."),
      ("mockupd_sweep_errors_total", "Sweeps that the database has refused or not answered."),
      ("mockupd_sweep_duration_seconds", "How long sweeps took, by kind."),
      ("mockupd_database_pending_statements", "Statements that wait for the database."),
      (
        "mockupd_log_lines_lost_total", "Log lines lost because standard error was read too slowly."
      ),
    ] {
      registry.describe(label, help)
    }
  }
}

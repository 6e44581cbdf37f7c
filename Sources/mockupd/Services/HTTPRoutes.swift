internal import MockupDatabase
internal import Prometheus
internal import TTRPC
internal import TTRPCServices

/// The HTTP endpoints on the server's socket.
enum HTTPRoutes {
  static func make(
    _ telemetry: Telemetry, _ health: HealthService, _ readiness: DatabaseReadiness,
    _ loads: ServerLoads
  ) -> [HTTPRoute] {
    [
      // Liveness only: the process answers.
      HTTPRoute(path: "/healthz") { _ throws(RPCError) in HTTPResponse(line: "ok") },
      HTTPRoute(path: "/readyz") { _ throws(RPCError) in
        guard health.status() == .serving else {
          let reason = readiness.condition?.message ?? "the server is starting or stopping"
          throw RPCError(code: .unavailable, message: reason)
        }
        return HTTPResponse(line: "ready")
      },
      HTTPRoute(path: "/metrics") { load throws(RPCError) in
        HTTPResponse(
          contentType: PrometheusRegistry.contentType,
          body: telemetry.text(load, loads, readiness))
      },
    ]
  }
}

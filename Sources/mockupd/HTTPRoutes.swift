internal import Postgres
internal import Prometheus
internal import TTRPC
internal import TTRPCServices

/// What is answered to HTTP on the socket.
enum HTTPRoutes {
  static func make(
    _ observation: Observation, _ pool: Pool, _ health: HealthService
  ) -> [HTTPRoute] {
    [
      // The process is there and answers; that is all.
      HTTPRoute(path: "/healthz") { _ throws(RPCError) in HTTPResponse(line: "ok") },
      HTTPRoute(path: "/readyz") { _ throws(RPCError) in
        guard health.status() == .serving else {
          throw RPCError(code: .unavailable, message: "the database does not answer")
        }
        return HTTPResponse(line: "ready")
      },
      HTTPRoute(path: "/metrics") { load throws(RPCError) in
        HTTPResponse(
          contentType: PrometheusRegistry.contentType, body: observation.text(load, pool))
      },
    ]
  }
}

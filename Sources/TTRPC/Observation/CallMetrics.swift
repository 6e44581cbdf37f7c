internal import CoreMetrics
internal import NIOConcurrencyHelpers

/// Counts and times a server's calls, by method: `ttrpc_server_calls_total` (also by status),
/// `ttrpc_server_call_duration_seconds`, `ttrpc_server_received_bytes_total`,
/// `ttrpc_server_sent_bytes_total`, `ttrpc_server_calls_in_flight`.
///
/// Names that no method has are counted together as `unknown`, since peers make them up.
public final class ServerCallMetrics: ServerInterceptor {
  private let metrics = CallMetrics(side: "server")

  public init() {}

  public func intercept(
    _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    let name = context.isKnown ? context.method.fullName : "unknown"
    try await metrics.observe(name, context.traffic) { () throws(RPCError) in
      try await next(context)
    }
  }
}

/// Counts and times a client's calls, as ``ServerCallMetrics`` does a server's: `ttrpc_client_…`.
public final class ClientCallMetrics: ClientInterceptor {
  private let metrics = CallMetrics(side: "client")

  public init() {}

  public func intercept(
    _ context: ClientContext, next: (ClientContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    try await metrics.observe(context.method.fullName, context.traffic) { () throws(RPCError) in
      try await next(context)
    }
  }
}

/// The metrics of one side's calls.
private struct CallMetrics: Sendable {
  private let prefix: String
  private let inFlight: Meter
  private let methods = NIOLockedValueBox<[String: MethodMetrics]>([:])

  init(side: String) {
    prefix = "ttrpc_\(side)_"
    inFlight = Meter(label: "\(prefix)calls_in_flight")
  }

  func observe(
    _ method: String, _ traffic: CallTraffic, _ call: () async throws(RPCError) -> Void
  ) async throws(RPCError) {
    let metrics = methods.withLockedValue { methods in
      if let known = methods[method] { return known }
      let made = MethodMetrics(prefix: prefix, method: method)
      methods[method] = made
      return made
    }
    inFlight.increment()
    let start = ContinuousClock.now
    var code = StatusCode.ok
    defer {
      inFlight.decrement()
      metrics.ended(code, after: start.duration(to: .now), traffic)
    }
    do throws(RPCError) {
      try await call()
    } catch {
      code = error.code
      throw error
    }
  }
}

/// The metrics of one method, made once.
private struct MethodMetrics: Sendable {
  private let calls: [StatusCode: Counter]
  private let duration: Timer
  private let received: Counter
  private let sent: Counter

  init(prefix: String, method: String) {
    let dimension = ("method", method)
    calls = Dictionary(
      uniqueKeysWithValues: StatusCode.allCases.map { code in
        let dimensions = [dimension, ("code", "\(code)")]
        return (code, Counter(label: "\(prefix)calls_total", dimensions: dimensions))
      })
    duration = Timer(label: "\(prefix)call_duration_seconds", dimensions: [dimension])
    received = Counter(label: "\(prefix)received_bytes_total", dimensions: [dimension])
    sent = Counter(label: "\(prefix)sent_bytes_total", dimensions: [dimension])
  }

  func ended(_ code: StatusCode, after time: Duration, _ traffic: CallTraffic) {
    calls[code]?.increment()
    duration.recordNanoseconds(time.nanoseconds)
    received.increment(by: traffic.bytesReceived)
    sent.increment(by: traffic.bytesSent)
  }
}

extension Duration {
  fileprivate var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? .max : scaled &+ attoseconds / 1_000_000_000
  }
}

internal import CoreMetrics
internal import NIOConcurrencyHelpers

/// An interceptor that counts and times a server's calls.
///
/// It records these metrics with swift-metrics:
///
/// - `ttrpc_server_calls_total`, by `method` and `code`
/// - `ttrpc_server_call_duration_seconds`, by `method`
/// - `ttrpc_server_received_bytes_total` and `ttrpc_server_sent_bytes_total`, by `method`
/// - `ttrpc_server_calls_in_flight`, without calls that are answered from memory
///
/// Calls of methods that the server does not have are counted together as `unknown`: peers choose
/// those names, and each name would be a new time series.
public final class ServerCallMetrics: HookInterceptor {
  private let metrics = CallMetrics(side: "server")

  /// Creates the interceptor; bootstrap the metrics system first.
  public init() {}

  /// Returns the hook that counts the calls of one method.
  public func hook(for method: MethodDescriptor, isKnown: Bool) -> (any CallHook)? {
    Hook(metrics, isKnown ? method.fullName : "unknown")
  }

  private final class Hook: CallHook {
    private let all: CallMetrics
    private let name: String
    // Created by the first call, so that a method without calls has no time series.
    private let method = OnceReference<MethodMetrics>()

    init(_ all: CallMetrics, _ name: String) {
      self.all = all
      self.name = name
    }

    /// Returns false for a call of a method that answers from memory: unless an interceptor
    /// suspends it, it ends before anything else happens.
    private static func counts(_ context: ServerContext) -> Bool {
      context.call.kind != .immediate
    }

    func callBegan(_ context: inout ServerContext) {
      if Self.counts(context) { all.inFlight.increment() }
    }

    func callEnded(_ context: ServerContext, _ error: RPCError?) {
      if Self.counts(context) { all.inFlight.decrement() }
      let method = method.object ?? method.setIfNil(all.of(name))
      method.ended(error?.code ?? .ok, after: context.elapsed, context.traffic)
    }
  }
}

/// An interceptor that counts and times a client's calls.
///
/// The metrics are those of ``ServerCallMetrics``, with the prefix `ttrpc_client_`.
public final class ClientCallMetrics: ClientInterceptor {
  private let metrics = CallMetrics(side: "client")

  /// Creates the interceptor; bootstrap the metrics system first.
  public init() {}

  /// Makes the call and records its duration, status and size.
  public func intercept(
    _ context: ClientContext, next: (ClientContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    try await metrics.observe(context.method.fullName, context.traffic) { () throws(RPCError) in
      try await next(context)
    }
  }
}

/// The metrics of all calls of a server or a client.
private struct CallMetrics: Sendable {
  let inFlight: Meter
  private let prefix: String
  private let methods = NIOLockedValueBox<[String: MethodMetrics]>([:])

  init(side: String) {
    prefix = "ttrpc_\(side)_"
    inFlight = Meter(label: "\(prefix)calls_in_flight")
  }

  /// Returns the metrics of a method, which the first call creates.
  func of(_ method: String) -> MethodMetrics {
    methods.withLockedValue { methods in
      if let known = methods[method] { return known }
      let made = MethodMetrics(prefix: prefix, method: method)
      methods[method] = made
      return made
    }
  }

  func observe(
    _ method: String, _ traffic: CallTraffic, _ call: () async throws(RPCError) -> Void
  ) async throws(RPCError) {
    let metrics = of(method)
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

/// The metrics of one method.
private final class MethodMetrics: Sendable {
  /// The counters of finished calls, indexed by the status code's number.
  private let calls: [Counter]
  private let duration: Timer
  private let received: Counter
  private let sent: Counter

  init(prefix: String, method: String) {
    let dimension = ("method", method)
    calls = StatusCode.allCases.sorted { $0.rawValue < $1.rawValue }.map { code in
      Counter(label: "\(prefix)calls_total", dimensions: [dimension, ("code", "\(code)")])
    }
    duration = Timer(label: "\(prefix)call_duration_seconds", dimensions: [dimension])
    received = Counter(label: "\(prefix)received_bytes_total", dimensions: [dimension])
    sent = Counter(label: "\(prefix)sent_bytes_total", dimensions: [dimension])
  }

  func ended(_ code: StatusCode, after time: Duration, _ traffic: CallTraffic) {
    calls[Int(code.rawValue)].increment()
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

internal import CoreMetrics
internal import NIOConcurrencyHelpers
internal import Synchronization

/// Counts and times a server's calls, by method: `ttrpc_server_calls_total` (also by status),
/// `ttrpc_server_call_duration_seconds`, `ttrpc_server_received_bytes_total`,
/// `ttrpc_server_sent_bytes_total`, `ttrpc_server_calls_in_flight`.
///
/// Names that no method has are counted together as `unknown`, since peers make them up.
public final class ServerCallMetrics: BracketingInterceptor {
  private let metrics = CallMetrics(side: "server")

  public init() {}

  public func bracket(of method: MethodDescriptor, isKnown: Bool) -> (any CallBracket)? {
    Bracket(metrics, isKnown ? method.fullName : "unknown")
  }

  private final class Bracket: CallBracket {
    private let all: CallMetrics
    private let name: String
    // A method that nobody calls has no series.
    private let method = AtomicLazyReference<MethodMetrics>()

    init(_ all: CallMetrics, _ name: String) {
      self.all = all
      self.name = name
    }

    func callBegan(_ context: inout ServerContext) { all.inFlight.increment() }

    func callEnded(_ context: ServerContext, _ error: RPCError?) {
      all.inFlight.decrement()
      let method = method.load() ?? method.storeIfNil(all.of(name))
      method.ended(
        error?.code ?? .ok, after: context.began.duration(to: .now), context.traffic)
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
  let inFlight: Meter
  private let prefix: String
  private let methods = NIOLockedValueBox<[String: MethodMetrics]>([:])

  init(side: String) {
    prefix = "ttrpc_\(side)_"
    inFlight = Meter(label: "\(prefix)calls_in_flight")
  }

  /// The metrics of a method.
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

/// The metrics of one method, made once.
private final class MethodMetrics: Sendable {
  /// By the codes' numbers.
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

public import Instrumentation
internal import Logging
internal import ServiceContextModule
internal import Tracing

/// An interceptor that starts a span for each call of a server.
///
/// If the call's metadata contains a trace context (`traceparent`), the span is a child of the
/// caller's. With ``TraceContextPropagator``, the call's log lines contain the trace's id as
/// `trace_id`.
///
/// Create the interceptor after the program's tracing system is bootstrapped. Without a tracing
/// system, a call without metadata belongs to no trace, and the interceptor skips it.
public struct ServerTracing: ServerInterceptor {
  /// True if the process has no tracing system, so that calls without metadata need no
  /// interception.
  public let needsMetadata: Bool

  /// Creates the interceptor for the tracing system that is in place now.
  public init() {
    needsMetadata = InstrumentationSystem.tracer is NoOpTracer
  }

  /// Runs the rest of the call inside a span.
  public func intercept(
    _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    var parent = ServiceContext.current ?? .topLevel
    InstrumentationSystem.instrument.extract(
      context.metadata, into: &parent, using: MetadataCarrier())
    var context = context
    if let trace = parent.trace { context.logMetadata["trace_id"] = "\(trace.traceID)" }
    try await traced(context.method, parent, .server) { [context] _ throws(RPCError) in
      try await next(context)
    }
  }
}

/// An interceptor that starts a span for each call of a client and sends its context as metadata.
public struct ClientTracing: ClientInterceptor {
  /// Creates the interceptor; it uses the tracing system that is in place when a call is made.
  public init() {}

  /// Runs the rest of the call inside a span, whose context it adds to the metadata.
  public func intercept(
    _ context: ClientContext, next: (ClientContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    let parent = ServiceContext.current ?? .topLevel
    try await traced(context.method, parent, .client) { current throws(RPCError) in
      var context = context
      InstrumentationSystem.instrument.inject(
        current, into: &context.metadata, using: MetadataCarrier())
      try await next(context)
    }
  }
}

/// Makes a call inside a span that is the task's current span.
private func traced(
  _ method: MethodDescriptor, _ parent: ServiceContext, _ kind: SpanKind,
  _ call: (ServiceContext) async throws(RPCError) -> Void
) async throws(RPCError) {
  let span = InstrumentationSystem.tracer.startSpan(
    method.fullName, context: parent, ofKind: kind)
  defer { span.end() }
  span.attributes["rpc.system"] = "ttrpc"
  span.attributes["rpc.service"] = method.service
  span.attributes["rpc.method"] = method.name
  let outcome = await ServiceContext.withValue(span.context) {
    do throws(RPCError) {
      try await call(span.context)
      return Result<Void, RPCError>.success(())
    } catch {
      return .failure(error)
    }
  }
  if case .failure(let error) = outcome {
    span.attributes["rpc.ttrpc.status_code"] = Int64(error.code.rawValue)
    span.recordError(error)
    span.setStatus(SpanStatus(code: .error, message: error.message))
  }
  try outcome.get()
}

/// Gives tracing systems access to a call's metadata.
private struct MetadataCarrier: Extractor, Injector {
  func extract(key: String, from carrier: Metadata) -> String? { carrier[key] }

  func inject(_ value: String, forKey key: String, into carrier: inout Metadata) {
    carrier[key] = value
  }
}

/// The trace context of a call, as in W3C's `traceparent` and `tracestate`.
///
/// Source: https://www.w3.org/TR/trace-context/
public struct TraceContext: Sendable, Hashable {
  /// The id of the trace: 32 lower-case hexadecimal digits (16 bytes), not all zero.
  public let traceID: String
  /// The id of the caller's span: 16 lower-case hexadecimal digits (8 bytes), not all zero.
  public let parentID: String
  /// The trace flags; bit 0 is set if the caller records the trace.
  public let flags: UInt8
  /// The vendor-specific data in `tracestate`, passed on unchanged; nil if there is none.
  public var state: String?

  /// Parses a `traceparent`, or returns nil if it is invalid.
  public init?(traceparent: String) {
    let parts = traceparent.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 4, parts[0].isHexadecimal(2), parts[0] != "ff",
      // Version 00 has exactly four parts; later versions may have more.
      parts[0] != "00" || parts.count == 4,
      parts[1].isHexadecimal(32), parts[1].contains(where: { $0 != "0" }),
      parts[2].isHexadecimal(16), parts[2].contains(where: { $0 != "0" }),
      parts[3].isHexadecimal(2), let flags = UInt8(parts[3], radix: 16)
    else { return nil }
    traceID = parts[1]
    parentID = parts[2]
    self.flags = flags
  }

  /// The `traceparent` value to send, in version 00 of the format.
  public var traceparent: String {
    let digits = String(flags, radix: 16)
    return "00-\(traceID)-\(parentID)-\(digits.count == 1 ? "0" : "")\(digits)"
  }
}

extension String {
  fileprivate func isHexadecimal(_ count: Int) -> Bool {
    utf8.count == count
      && utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }
}

/// An instrument that passes a caller's trace context on to the calls that a handler makes.
///
/// It is for programs without a tracing system. Install it with
/// `InstrumentationSystem.bootstrap(TraceContextPropagator())`.
public struct TraceContextPropagator: Instrument {
  /// Creates a propagator.
  public init() {}

  /// Reads `traceparent` and `tracestate` from metadata, and does not change the context if
  /// `traceparent` is missing or invalid.
  public func extract<Carrier, Extract: Extractor>(
    _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
  ) where Extract.Carrier == Carrier {
    guard let parent = extractor.extract(key: "traceparent", from: carrier),
      var trace = TraceContext(traceparent: parent)
    else { return }
    trace.state = extractor.extract(key: "tracestate", from: carrier)
    context.trace = trace
  }

  /// Adds `traceparent` and `tracestate` to metadata if the context has a trace.
  public func inject<Carrier, Inject: Injector>(
    _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
  ) where Inject.Carrier == Carrier {
    guard let trace = context.trace else { return }
    injector.inject(trace.traceparent, forKey: "traceparent", into: &carrier)
    if let state = trace.state { injector.inject(state, forKey: "tracestate", into: &carrier) }
  }
}

extension ServiceContext {
  private enum TraceKey: ServiceContextKey {
    typealias Value = TraceContext
  }

  /// The trace context that ``TraceContextPropagator`` extracted, or nil if the call has no trace.
  public var trace: TraceContext? {
    get { self[TraceKey.self] }
    set { self[TraceKey.self] = newValue }
  }
}

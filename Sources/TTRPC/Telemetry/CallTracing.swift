internal import Instrumentation
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

internal import Instrumentation
internal import Logging
internal import ServiceContextModule
internal import Tracing

/// Opens a span for each call of a server, below the caller's where its metadata names one
/// (`traceparent`), and puts the trace's id on the call's log lines.
///
/// Made once the program's tracing system, if it has one, is in place: without it a call that brings no
/// metadata has no trace to be a part of, and is left alone.
public struct ServerTracing: ServerInterceptor {
  public let needsMetadata: Bool

  public init() {
    needsMetadata = InstrumentationSystem.tracer is NoOpTracer
  }

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

/// Opens a span for each call of a client, and tells the server of it in the metadata.
public struct ClientTracing: ClientInterceptor {
  public init() {}

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

/// Makes a call inside a span, which is the current one meanwhile.
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

/// A call's metadata, to tracing systems.
private struct MetadataCarrier: Extractor, Injector {
  func extract(key: String, from carrier: Metadata) -> String? { carrier[key] }

  func inject(_ value: String, forKey key: String, into carrier: inout Metadata) {
    carrier[key] = value
  }
}

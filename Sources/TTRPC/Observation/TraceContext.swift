public import Instrumentation

/// Where a call stands in a trace, as W3C's `traceparent` and `tracestate` carry it.
///
/// Source: https://www.w3.org/TR/trace-context/
public struct TraceContext: Sendable, Hashable {
  /// Sixteen bytes in 32 lower-case hexadecimal digits, not all zero.
  public let traceID: String
  /// Eight bytes in 16 lower-case hexadecimal digits, not all zero.
  public let parentID: String
  /// Bit 0: the trace is recorded.
  public let flags: UInt8
  /// What tracing systems add, each in its own way.
  public var state: String?

  /// Reads a `traceparent`; nothing where it is none.
  public init?(traceparent: String) {
    let parts = traceparent.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 4, parts[0].isHexadecimal(2), parts[0] != "ff",
      // Later versions may have more parts; the first has these.
      parts[0] != "00" || parts.count == 4,
      parts[1].isHexadecimal(32), parts[1].contains(where: { $0 != "0" }),
      parts[2].isHexadecimal(16), parts[2].contains(where: { $0 != "0" }),
      parts[3].isHexadecimal(2), let flags = UInt8(parts[3], radix: 16)
    else { return nil }
    traceID = parts[1]
    parentID = parts[2]
    self.flags = flags
  }

  /// As it travels.
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

/// Carries trace contexts from a caller's metadata to the calls that a handler makes, for programs that
/// have no tracing system of their own: `InstrumentationSystem.bootstrap(TraceContextPropagator())`.
public struct TraceContextPropagator: Instrument {
  public init() {}

  public func extract<Carrier, Extract: Extractor>(
    _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
  ) where Extract.Carrier == Carrier {
    guard let parent = extractor.extract(key: "traceparent", from: carrier),
      var trace = TraceContext(traceparent: parent)
    else { return }
    trace.state = extractor.extract(key: "tracestate", from: carrier)
    context.trace = trace
  }

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

  /// The trace that ``TraceContextPropagator`` has found.
  public var trace: TraceContext? {
    get { self[TraceKey.self] }
    set { self[TraceKey.self] = newValue }
  }
}

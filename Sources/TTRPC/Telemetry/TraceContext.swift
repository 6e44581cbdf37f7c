public import Instrumentation

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

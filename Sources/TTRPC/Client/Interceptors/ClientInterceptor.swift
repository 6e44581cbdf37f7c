/// An interceptor: code that runs around every call of a client, whatever its shape.
public protocol ClientInterceptor: Sendable {
  /// Runs around one call.
  ///
  /// - Parameters:
  ///   - context: The properties of the call, a changed copy of which may be passed to `next`.
  ///   - next: Makes the call and returns when it has ended. For a stream, this includes the
  ///     closure that reads and writes it. An interceptor may call `next` again to retry a unary
  ///     call, but not a stream.
  /// - Throws: The status of the call, which `next` throws, or a status of the interceptor's own.
  func intercept(
    _ context: ClientContext, next: (ClientContext) async throws(RPCError) -> Void
  ) async throws(RPCError)
}

/// The properties of a call that an interceptor can read, and in part change, before it is sent.
public struct ClientContext: Sendable {
  /// The method that is called.
  public let method: MethodDescriptor
  /// The metadata to send with the request.
  public var metadata: Metadata
  /// The time at which the call ends at the latest, retries included; nil for no limit.
  public let deadline: ContinuousClock.Instant?
  /// True if the call waits for a server that cannot be reached (``CallOptions/waitsForReady``).
  public var waitsForReady: Bool
  /// The number and size of the messages that the call has sent and received so far.
  public let traffic = CallTraffic()
}

/// A client's interceptors; the first is the outermost.
struct ClientInterceptorChain: Sendable {
  private let interceptors: [any ClientInterceptor]

  init(_ interceptors: [any ClientInterceptor]) {
    self.interceptors = interceptors
  }

  /// Makes a call inside all interceptors.
  func run<Value>(
    _ context: ClientContext, _ call: (ClientContext) async throws(RPCError) -> Value
  ) async throws(RPCError) -> Value {
    guard !interceptors.isEmpty else { return try await call(context) }
    var value: Value?
    try await run(from: 0, context) { context throws(RPCError) in
      value = try await call(context)
    }
    guard let value else {
      throw RPCError(code: .internalError, message: "an interceptor did not make the call")
    }
    return value
  }

  private func run(
    from index: Int, _ context: ClientContext,
    _ call: (ClientContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    guard index < interceptors.count else { return try await call(context) }
    try await interceptors[index].intercept(context) { context throws(RPCError) in
      try await run(from: index + 1, context, call)
    }
  }
}

/// Runs around every call of a client, whatever its shape.
///
/// What happens before `next` happens before the call is sent; `next` throws the status with which it
/// ended. For a stream, `next` lasts as long as the closure that reads and writes it. A unary call may
/// be made again by calling `next` again; a stream may not.
public protocol ClientInterceptor: Sendable {
  func intercept(
    _ context: ClientContext, next: (ClientContext) async throws(RPCError) -> Void
  ) async throws(RPCError)
}

/// What an interceptor knows about a call, and may change before it is sent.
public struct ClientContext: Sendable {
  public let method: MethodDescriptor
  /// What travels beside the request.
  public var metadata: Metadata
  /// When the call ends at the latest, every attempt included.
  public let deadline: ContinuousClock.Instant?
  public var waitsForReady: Bool
  /// What the call has moved so far.
  public let traffic = CallTraffic()
}

/// A client's interceptors in their order, the first outermost.
struct ClientInterceptorChain: Sendable {
  private let interceptors: [any ClientInterceptor]

  init(_ interceptors: [any ClientInterceptor]) {
    self.interceptors = interceptors
  }

  /// Makes a call inside all of them.
  func run<Value>(
    _ context: ClientContext, _ call: (ClientContext) async throws(RPCError) -> Value
  ) async throws(RPCError) -> Value {
    guard !interceptors.isEmpty else { return try await call(context) }
    var value: Value?
    try await run(from: 0, context) { context throws(RPCError) in
      value = try await call(context)
    }
    guard let value else {
      throw RPCError(code: .internalError, message: "an interceptor has left out the call")
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

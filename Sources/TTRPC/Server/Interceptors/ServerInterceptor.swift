/// Runs around every call of a server, whatever its shape.
///
/// What happens before `next` happens before the handler, what comes after it knows the outcome.
/// `next` throws the status that the caller gets, also where the call's deadline, its caller or a drain
/// ended it before the handler was done. Throwing without `next` refuses the call. `next` is called at
/// most once.
///
/// One that has nothing to do in between should be a ``BracketingInterceptor``, which costs less.
public protocol ServerInterceptor: Sendable {
  func intercept(
    _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
  ) async throws(RPCError)

  /// Whether it only passes on calls that bring no metadata, so that it can be left out of them.
  var needsMetadata: Bool { get }
}

extension ServerInterceptor {
  public var needsMetadata: Bool { false }
}

/// A server's interceptors in their order, the first outermost.
struct ServerInterceptorChain: Sendable {
  private let interceptors: [any ServerInterceptor]

  init(_ interceptors: [any ServerInterceptor]) {
    self.interceptors = interceptors
  }

  /// All that is to be around a call of a method that brings no metadata, where brackets are all that is.
  func brackets(of method: MethodDescriptor) -> [any CallBracket]? {
    var brackets: [any CallBracket] = []
    for interceptor in interceptors where !interceptor.needsMetadata {
      guard let interceptor = interceptor as? any BracketingInterceptor else { return nil }
      if let bracket = interceptor.bracket(of: method, isKnown: true) { brackets.append(bracket) }
    }
    return brackets
  }

  /// Runs a handler inside all of them.
  func run<Value>(
    _ context: ServerContext, _ handler: (ServerContext) async throws(RPCError) -> Value
  ) async throws(RPCError) -> Value {
    guard !interceptors.isEmpty else { return try await handler(context) }
    var value: Value?
    try await run(from: 0, context) { context throws(RPCError) in
      value = try await handler(context)
    }
    guard let value else {
      throw RPCError(code: .internalError, message: "an interceptor has left out the call")
    }
    return value
  }

  private func run(
    from index: Int, _ context: ServerContext,
    _ handler: (ServerContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    guard index < interceptors.count else { return try await handler(context) }
    try await interceptors[index].intercept(context) { context throws(RPCError) in
      try await run(from: index + 1, context, handler)
    }
  }
}

/// An interceptor, which runs around every call of a server, whatever its shape.
///
/// Code before `next` runs before the handler; code after it knows the outcome. `next` throws the
/// status that the caller gets, also if a deadline, a cancellation or a drain ended the call before
/// the handler returned. An interceptor refuses a call by throwing without calling `next`. It calls
/// `next` at most once; a call for which it returns without calling `next` gets
/// ``StatusCode/internalError``.
///
/// An interceptor that acts only at the beginning and the end of a call should be a
/// ``HookInterceptor``, which costs less.
public protocol ServerInterceptor: Sendable {
  /// Runs around one call.
  ///
  /// - Parameters:
  ///   - context: The context of the call.
  ///   - next: Runs the inner interceptors and the handler, with the context that it is given.
  /// - Throws: The status that the caller gets.
  func intercept(
    _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
  ) async throws(RPCError)

  /// A Boolean value that indicates whether the interceptor does nothing for calls without
  /// metadata.
  ///
  /// The server leaves such an interceptor out of those calls. The default is false.
  var needsMetadata: Bool { get }
}

extension ServerInterceptor {
  /// False, so that the interceptor runs around all calls.
  public var needsMetadata: Bool { false }
}

/// The interceptors of a server, the outermost first.
struct ServerInterceptorChain: Sendable {
  private let interceptors: [any ServerInterceptor]

  init(_ interceptors: [any ServerInterceptor]) {
    self.interceptors = interceptors
  }

  /// No interceptors.
  static let none = ServerInterceptorChain([])

  /// Returns the call hooks for calls of a method without metadata.
  ///
  /// - Returns: `nil` if such calls need interceptors other than hooks.
  func hooks(of method: MethodDescriptor) -> [any CallHook]? {
    var hooks: [any CallHook] = []
    for interceptor in interceptors where !interceptor.needsMetadata {
      guard let interceptor = interceptor as? any HookInterceptor else { return nil }
      if let hook = interceptor.hook(for: method, isKnown: true) { hooks.append(hook) }
    }
    return hooks
  }

  /// Runs a handler inside all interceptors.
  func run<Value>(
    _ context: ServerContext, _ handler: (ServerContext) async throws(RPCError) -> Value
  ) async throws(RPCError) -> Value {
    guard !interceptors.isEmpty else { return try await handler(context) }
    var value: Value?
    try await run(from: 0, context) { context throws(RPCError) in
      value = try await handler(context)
    }
    guard let value else {
      throw RPCError(
        code: .internalError, message: "an interceptor returned without calling the next one")
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

/// A call hook, which acts at the beginning and the end of a call, for example to count, time or
/// refuse it.
///
/// A hook runs on the connection's event loop, or in the call's task, and must not block. If all
/// interceptors that a call needs are hooks, they run without a task; see
/// ``ServerInterceptor/needsMetadata``. A hook is an object because the server makes one for each
/// method and uses it for each call.
public protocol CallHook: AnyObject, Sendable {
  /// Handles the beginning of a call, and may change its context.
  ///
  /// - Throws: The status with which the hook refuses the call. The inner hooks, the handler and
  ///   this hook's ``callEnded(_:_:)`` do not run then.
  func callBegan(_ context: inout ServerContext) throws(RPCError)

  /// Handles the end of a call that ``callBegan(_:)`` let pass.
  ///
  /// - Parameters:
  ///   - context: The context of the call.
  ///   - error: The status that the caller gets, or `nil` if the call succeeded.
  func callEnded(_ context: ServerContext, _ error: RPCError?)
}

extension CallHook {
  /// Does nothing.
  public func callEnded(_ context: ServerContext, _ error: RPCError?) {}
}

/// An interceptor that consists of a call hook.
public protocol HookInterceptor: ServerInterceptor {
  /// Returns the call hook for a method, or `nil` if its calls need none.
  ///
  /// The server calls it once for each event loop and registered method, and again for each call
  /// that also needs interceptors other than hooks.
  ///
  /// - Parameters:
  ///   - method: The method, whose names are chosen by the peer if it is unknown.
  ///   - isKnown: True if the method is registered.
  func hook(for method: MethodDescriptor, isKnown: Bool) -> (any CallHook)?
}

extension HookInterceptor {
  /// Runs the call hook around a call that also needs interceptors other than hooks.
  public func intercept(
    _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    guard let hook = hook(for: context.method, isKnown: context.isKnown) else {
      return try await next(context)
    }
    var context = context
    try hook.callBegan(&context)
    do throws(RPCError) {
      try await next(context)
    } catch {
      hook.callEnded(context, error)
      throw error
    }
    hook.callEnded(context, nil)
  }
}

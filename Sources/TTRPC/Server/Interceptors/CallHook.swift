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
  /// The server calls it once for each registered method when it is created, and again for each
  /// call that also needs interceptors other than hooks.
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

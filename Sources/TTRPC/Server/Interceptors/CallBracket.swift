/// What happens at both ends of a call, and not in between: it counts, it times, it refuses.
///
/// It runs on the connection's event loop and answers from memory. In return it costs a call no task: a
/// server whose interceptors are all of this kind carries a unary call out as fast as its handler is.
/// An object, since one is made for each method and looked at for each call.
public protocol CallBracket: AnyObject, Sendable {
  /// A call begins.
  ///
  /// - Throws: Why the call is refused. Those inside of it, and the handler, do not run then.
  func callBegan(_ context: inout ServerContext) throws(RPCError)

  /// A call that this has let through has ended; with an error, the status that the caller gets.
  func callEnded(_ context: ServerContext, _ error: RPCError?)
}

extension CallBracket {
  public func callEnded(_ context: ServerContext, _ error: RPCError?) {}
}

/// An interceptor that is nothing but a bracket around each call.
public protocol BracketingInterceptor: ServerInterceptor {
  /// What is to be around the calls of a method, made once for each; `nil` for nothing.
  ///
  /// - Parameter isKnown: Whether such a method is registered; where it is not, its names are whatever a
  ///   peer made up.
  func bracket(of method: MethodDescriptor, isKnown: Bool) -> (any CallBracket)?
}

extension BracketingInterceptor {
  /// The bracket as an interceptor among those that are none.
  public func intercept(
    _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    guard let bracket = bracket(of: context.method, isKnown: context.isKnown) else {
      return try await next(context)
    }
    var context = context
    try bracket.callBegan(&context)
    do throws(RPCError) {
      try await next(context)
    } catch {
      bracket.callEnded(context, error)
      throw error
    }
    bracket.callEnded(context, nil)
  }
}

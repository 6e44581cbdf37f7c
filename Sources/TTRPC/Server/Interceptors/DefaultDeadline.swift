/// Gives calls a deadline whose callers gave none, so that no handler runs for ever.
///
/// A deadline that a caller gave is its own, and the server enforces it with or without this.
public struct DefaultDeadline: ServerInterceptor {
  private let timeout: Duration
  private let shapes: Set<CallShape>

  /// - Parameter shapes: Which calls. Streams often are meant to last, so only unary calls, unless
  ///   something else is said.
  public init(_ timeout: Duration, shapes: Set<CallShape> = [.unary]) {
    self.timeout = timeout
    self.shapes = shapes
  }

  public func intercept(
    _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    if context.deadline == nil, shapes.contains(context.method.shape) {
      try await next(context.limited(to: timeout))
    } else {
      try await next(context)
    }
  }
}

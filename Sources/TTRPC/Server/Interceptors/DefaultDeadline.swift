/// Gives calls a deadline whose callers gave none, so that no handler runs for ever.
///
/// A deadline that a caller gave is its own, and the server enforces it with or without this.
public struct DefaultDeadline: BracketingInterceptor {
  private let timeout: Duration
  private let shapes: Set<CallShape>

  /// - Parameter shapes: Which calls. Streams often are meant to last, so only unary calls, unless
  ///   something else is said.
  public init(_ timeout: Duration, shapes: Set<CallShape> = [.unary]) {
    self.timeout = timeout
    self.shapes = shapes
  }

  public func bracket(of method: MethodDescriptor, isKnown: Bool) -> (any CallBracket)? {
    shapes.contains(method.shape) ? Bracket(timeout: timeout) : nil
  }

  /// Among interceptors that are no brackets, the call has begun already, and its connection is told.
  public func intercept(
    _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    if context.deadline == nil, shapes.contains(context.method.shape) {
      try await next(context.limited(to: timeout))
    } else {
      try await next(context)
    }
  }

  private final class Bracket: CallBracket {
    let timeout: Duration

    init(timeout: Duration) {
      self.timeout = timeout
    }

    func callBegan(_ context: inout ServerContext) {
      // The connection looks at it once the call has begun.
      if context.deadline == nil { context.deadline = context.began + timeout }
    }
  }
}

internal import NIOCore

/// Sets a deadline for calls whose callers set none, so that no handler runs forever.
///
/// The server enforces the deadlines of callers with or without this interceptor.
public struct DefaultDeadline: HookInterceptor {
  private let timeout: Duration
  private let shapes: Set<CallShape>

  /// Creates an interceptor that sets deadlines.
  ///
  /// - Parameters:
  ///   - timeout: The time from the beginning of a call to its deadline.
  ///   - shapes: The shapes of the calls that get a deadline. The default is unary calls only,
  ///     because streams are often long-lived.
  public init(_ timeout: Duration, shapes: Set<CallShape> = [.unary]) {
    self.timeout = timeout
    self.shapes = shapes
  }

  /// Returns a call hook that sets the deadline, or `nil` if calls of this shape get none.
  public func hook(for method: MethodDescriptor, isKnown: Bool) -> (any CallHook)? {
    shapes.contains(method.shape) ? Hook(timeout: TimeAmount(clamping: timeout)) : nil
  }

  /// Sets the deadline of a call that also needs interceptors other than hooks.
  ///
  /// The call has already begun, so the deadline is also set on its connection.
  public func intercept(
    _ context: ServerContext, next: (ServerContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    if context.deadline == nil, shapes.contains(context.method.shape) {
      try await next(context.limited(to: timeout))
    } else {
      try await next(context)
    }
  }

  private final class Hook: CallHook {
    let timeout: TimeAmount

    init(timeout: TimeAmount) {
      self.timeout = timeout
    }

    func callBegan(_ context: inout ServerContext) {
      // The connection reads the deadline after the hooks have run.
      if context.deadline == nil { context.deadline = context.call.request.began + timeout }
    }
  }
}

/// Makes unary calls again that met a server which was away or full, where their method is idempotent.
///
/// A call that was under way when its connection was lost may have been carried out; that is why only
/// methods are called again whose schema says that twice is as good as once. The call's deadline covers
/// all attempts.
public struct Retrying: ClientInterceptor {
  private let policy: @Sendable (MethodDescriptor) -> RetryPolicy

  /// - Parameter policy: What holds for a method; ``RetryPolicy/never`` where it is to be left alone.
  public init(_ policy: @escaping @Sendable (MethodDescriptor) -> RetryPolicy) {
    self.policy = policy
  }

  /// One policy for all idempotent methods.
  public init(_ policy: RetryPolicy = RetryPolicy()) {
    self.init { _ in policy }
  }

  public func intercept(
    _ context: ClientContext, next: (ClientContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    guard context.method.isIdempotent, context.method.shape == .unary else {
      return try await next(context)
    }
    let policy = policy(context.method)
    var attempt = 1
    while true {
      do throws(RPCError) {
        return try await next(context)
      } catch {
        guard let pause = policy.pause(afterAttempt: attempt, error) else { throw error }
        if let deadline = context.deadline, .now + pause >= deadline { throw error }
        do {
          try await Task.sleep(for: pause)
        } catch {
          throw RPCError(code: .cancelled, message: "the caller was cancelled", cause: error)
        }
        attempt += 1
      }
    }
  }
}

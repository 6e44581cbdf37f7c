/// An interceptor that retries unary calls of idempotent methods, as a ``RetryPolicy`` decides.
///
/// A call fails if the server is unavailable or full, but it may have been performed if its
/// connection was lost while it was in flight. The interceptor therefore only retries methods that
/// are idempotent (``MethodDescriptor/isIdempotent``). The call's deadline covers all attempts.
///
/// If the last attempt had no effect, but an earlier one may have had one, the error says so.
public struct Retrying: ClientInterceptor {
  private let policy: @Sendable (MethodDescriptor) -> RetryPolicy

  /// Creates an interceptor that chooses a policy by method.
  ///
  /// - Parameter policy: Returns the policy for an idempotent method, ``RetryPolicy/never`` for no
  ///   retries. It is called for each call.
  public init(_ policy: @escaping @Sendable (MethodDescriptor) -> RetryPolicy) {
    self.policy = policy
  }

  /// Creates an interceptor that uses one policy for all idempotent methods.
  public init(_ policy: RetryPolicy = RetryPolicy()) {
    self.init { _ in policy }
  }

  /// Makes the call, and makes it again after each failure that the policy retries.
  public func intercept(
    _ context: ClientContext, next: (ClientContext) async throws(RPCError) -> Void
  ) async throws(RPCError) {
    guard context.method.isIdempotent, context.method.shape == .unary else {
      return try await next(context)
    }
    let policy = policy(context.method)
    var attempt = 1
    var isUncertain = false
    while true {
      do throws(RPCError) {
        return try await next(context)
      } catch let last {
        let error = isUncertain ? last.afterUncertainAttempt : last
        isUncertain = isUncertain || last.mayHaveEffect
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

extension RPCError {
  /// The error of a failed attempt that followed one that may have had an effect.
  ///
  /// A server that is unavailable or overloaded does not know the outcome of that attempt. Any
  /// other answer does.
  package var afterUncertainAttempt: RPCError {
    guard details.contains(.noEffect) else { return self }
    var error = self
    error.details.removeAll { $0 == .noEffect }
    error.message = "an earlier attempt may have had an effect; the last one: \(message)"
    return error
  }
}

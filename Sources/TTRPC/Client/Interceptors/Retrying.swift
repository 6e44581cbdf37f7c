/// An interceptor that retries unary calls of idempotent methods, as a ``RetryPolicy`` decides.
///
/// A call fails if the server is unavailable or full, but it may have been performed if its
/// connection was lost while it was in flight. The interceptor therefore only retries methods that
/// are idempotent (``MethodDescriptor/isIdempotent``). The call's deadline covers all attempts.
///
/// If no attempt succeeds, the call fails with the error of the last one. Its message adds those of
/// earlier attempts, because one of these may have been performed even if the last one was refused.
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
    var earlier: [String] = []
    while true {
      do throws(RPCError) {
        return try await next(context)
      } catch {
        guard let pause = policy.pause(afterAttempt: attempt, error),
          context.deadline.map({ .now + pause < $0 }) ?? true
        else {
          throw error.after(earlier)
        }
        if !earlier.contains(error.message) { earlier.append(error.message) }
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
  /// Returns the error of the last attempt with the messages of the earlier ones.
  fileprivate func after(_ earlier: [String]) -> RPCError {
    let others = earlier.filter { $0 != message }
    guard !others.isEmpty else { return self }
    var error = self
    error.message += " (earlier attempts: \(others.joined(separator: "; ")))"
    return error
  }
}

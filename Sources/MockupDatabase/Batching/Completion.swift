internal import NIOConcurrencyHelpers

/// Waits for a completion to be called.
///
/// If the task is cancelled meanwhile, the work is cancelled too.
///
/// - Parameter begin: Begins the work, and returns a closure that cancels it. The completion is
///   also called after the cancellation, but not if `begin` throws.
package func completion<Value: Sendable, Failure: Error>(
  _ begin: (
    _ completion: @escaping @Sendable (Result<Value, Failure>) -> Void
  ) throws(Failure) -> @Sendable () -> Void
) async throws(Failure) -> Value {
  let cancellation = NIOLockedValueBox<(@Sendable () -> Void)?>(nil)
  return try await withTaskCancellationHandler {
    await withCheckedContinuation { continuation in
      do throws(Failure) {
        let cancel = try begin { continuation.resume(returning: $0) }
        cancellation.withLockedValue { $0 = cancel }
        if Task.isCancelled { cancel() }
      } catch {
        continuation.resume(returning: Result<Value, Failure>.failure(error))
      }
    }
  } onCancel: {
    cancellation.withLockedValue { $0 }?()
  }.get()
}

/// A counting semaphore with FIFO waiters.
actor AsyncSemaphore {
  private var free: Int
  private var waiting: ArraySlice<CheckedContinuation<Void, Never>> = []

  /// Creates a semaphore.
  ///
  /// - Parameter count: The number of closures that may run at the same time.
  init(_ count: Int) {
    free = count
  }

  /// Waits for a permit, and runs a closure with it.
  nonisolated func withPermit<Value, Failure: Error>(
    _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    await enter()
    let result: Result<Value, Failure>
    do throws(Failure) {
      result = .success(try await body())
    } catch {
      result = .failure(error)
    }
    await leave()
    return try result.get()
  }

  private func enter() async {
    guard free == 0 else {
      free -= 1
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  private func leave() {
    if let next = waiting.popFirst() { next.resume() } else { free += 1 }
  }
}

import NIOConcurrencyHelpers

/// A gate at which tasks of a run wait until the fuzzing input resumes them.
final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var next = 0
    var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
  }

  private let state = NIOLockedValueBox(State())

  /// Waits until the gate resumes the task.
  ///
  /// - Parameter isCancellable: True if cancellation also resumes the task.
  func wait(isCancellable: Bool = true) async throws {
    let id = state.withLockedValue { state in
      state.next += 1
      return state.next
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOpen = state.withLockedValue { state in
          let isOpen = state.isOpen || isCancellable && Task.isCancelled
          if !isOpen { state.waiting[id] = continuation }
          return isOpen
        }
        if isOpen { continuation.resume() }
      }
    } onCancel: {
      if isCancellable {
        state.withLockedValue { $0.waiting.removeValue(forKey: id) }?.resume()
      }
    }
    if isCancellable { try Task.checkCancellation() }
  }

  /// Resumes the waiting tasks.
  func resumeWaiting() {
    let waiting = state.withLockedValue { state in
      defer { state.waiting = [:] }
      return state.waiting
    }
    for (_, continuation) in waiting.sorted(by: { $0.key < $1.key }) { continuation.resume() }
  }

  /// Resumes the waiting tasks, and lets later tasks pass without waiting.
  func open() {
    state.withLockedValue { $0.isOpen = true }
    resumeWaiting()
  }
}

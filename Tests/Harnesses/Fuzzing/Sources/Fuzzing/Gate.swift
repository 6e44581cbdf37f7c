import NIOConcurrencyHelpers

/// A gate at which handlers and callers of a run wait until the input resumes them.
final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var next = 0
    var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
  }

  private let state = NIOLockedValueBox(State())

  /// Waits until the gate resumes the task.
  ///
  /// - Parameter heedsCancellation: True if cancellation resumes the task, too.
  func wait(heedsCancellation: Bool = true) async throws {
    let id = state.withLockedValue { state in
      state.next += 1
      return state.next
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOpen = state.withLockedValue { state in
          let isOpen = state.isOpen || heedsCancellation && Task.isCancelled
          if !isOpen { state.waiting[id] = continuation }
          return isOpen
        }
        if isOpen { continuation.resume() }
      }
    } onCancel: {
      if heedsCancellation {
        state.withLockedValue { $0.waiting.removeValue(forKey: id) }?.resume()
      }
    }
    if heedsCancellation { try Task.checkCancellation() }
  }

  /// Resumes the tasks that wait now.
  func letGo() {
    let waiting = state.withLockedValue { state in
      defer { state.waiting = [:] }
      return state.waiting
    }
    for (_, continuation) in waiting.sorted(by: { $0.key < $1.key }) { continuation.resume() }
  }

  /// Resumes all tasks, now and later.
  func open() {
    state.withLockedValue { $0.isOpen = true }
    letGo()
  }
}

internal import NIOConcurrencyHelpers
/// The tasks that wait for a connection.
final class ConnectionGate: Sendable {
  private typealias Waiter = CheckedContinuation<PostgresError?, Never>

  private struct State {
    var waiters: [ObjectIdentifier: Waiter] = [:]
    var isClosed = false
  }

  private final class Ticket: Sendable {}

  private let state = NIOLockedValueBox(State())

  /// Resumes all waiting tasks.
  func open() { resumeAll(nil) }

  /// Fails all waiting tasks and all future ones.
  func close() {
    state.withLockedValue { $0.isClosed = true }
    resumeAll(PostgresError(.closed, "the pool is shut down"))
  }

  /// Waits until ``open()`` is called; returns at once if `isOpen` returns true.
  ///
  /// - Throws: ``PostgresError`` if the timeout expired, the task was cancelled or the gate is
  ///   closed.
  func wait(timeout: Duration, unless isOpen: @Sendable () -> Bool) async throws(PostgresError) {
    let ticket = Ticket()
    let timer = Task {
      guard (try? await Task.sleep(for: timeout)) != nil else { return }
      self.resume(ticket, PostgresError(.timedOut, "timed out waiting for a database connection"))
    }
    defer { timer.cancel() }
    let error = await withTaskCancellationHandler {
      await withCheckedContinuation { (waiter: Waiter) in
        let isClosed = state.withLockedValue { state in
          if !state.isClosed { state.waiters[ObjectIdentifier(ticket)] = waiter }
          return state.isClosed
        }
        if isClosed {
          waiter.resume(returning: PostgresError(.closed, "the pool is shut down"))
        } else if isOpen() {
          resume(ticket, nil)
        } else if Task.isCancelled {
          resume(ticket, PostgresError(.cancelled, "the task was cancelled"))
        }
      }
    } onCancel: {
      resume(ticket, PostgresError(.cancelled, "the task was cancelled"))
    }
    if let error { throw error }
  }

  private func resume(_ ticket: Ticket, _ error: PostgresError?) {
    let waiter = state.withLockedValue { $0.waiters.removeValue(forKey: ObjectIdentifier(ticket)) }
    waiter?.resume(returning: error)
  }

  private func resumeAll(_ error: PostgresError?) {
    let waiters = state.withLockedValue { state in
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.resume(returning: error) }
  }
}

/// Where tasks wait for a connection.
final class ConnectionGate: Sendable {
  private typealias Waiter = CheckedContinuation<PostgresError?, Never>

  private struct State {
    var waiters: [ObjectIdentifier: Waiter] = [:]
    var isClosed = false
  }

  private final class Ticket: Sendable {}

  private let state = Locked(State())

  /// Lets everyone through who waits.
  func open() { resumeAll(nil) }

  /// Sends everyone away, now and later.
  func close() {
    state.withLock { $0.isClosed = true }
    resumeAll(PostgresError(.closed, "The pool is shut down."))
  }

  /// Waits until ``open()`` is called, unless it is open already.
  ///
  /// - Throws: ``PostgresError``: timed out, cancelled or closed.
  func wait(timeout: Duration, unless isOpen: @Sendable () -> Bool) async throws(PostgresError) {
    let ticket = Ticket()
    let timer = Task {
      guard (try? await Task.sleep(for: timeout)) != nil else { return }
      self.resume(ticket, PostgresError(.timedOut, "No connection came up in time."))
    }
    defer { timer.cancel() }
    let error = await withTaskCancellationHandler {
      await withCheckedContinuation { (waiter: Waiter) in
        let isClosed = state.withLock { state in
          if !state.isClosed { state.waiters[ObjectIdentifier(ticket)] = waiter }
          return state.isClosed
        }
        if isClosed {
          waiter.resume(returning: PostgresError(.closed, "The pool is shut down."))
        } else if isOpen() {
          resume(ticket, nil)
        } else if Task.isCancelled {
          resume(ticket, PostgresError(.cancelled, "The task was cancelled."))
        }
      }
    } onCancel: {
      resume(ticket, PostgresError(.cancelled, "The task was cancelled."))
    }
    if let error { throw error }
  }

  private func resume(_ ticket: Ticket, _ error: PostgresError?) {
    let waiter = state.withLock { $0.waiters.removeValue(forKey: ObjectIdentifier(ticket)) }
    waiter?.resume(returning: error)
  }

  private func resumeAll(_ error: PostgresError?) {
    let waiters = state.withLock { state in
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.resume(returning: error) }
  }
}

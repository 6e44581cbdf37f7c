internal import NIOConcurrencyHelpers

/// The first of several results, for a task that waits for it.
final class FirstResult<Value: Sendable>: Sendable {
  private enum State {
    case waiting(CheckedContinuation<Value, Never>?)
    case ended(Value)
  }

  private let state = NIOLockedValueBox(State.waiting(nil))

  /// Sets the result; returns false if there is one already.
  @discardableResult
  func end(_ value: Value) -> Bool {
    let (isFirst, waiter) = state.withLockedValue {
      state -> (Bool, CheckedContinuation<Value, Never>?) in
      guard case .waiting(let waiter) = state else { return (false, nil) }
      state = .ended(value)
      return (true, waiter)
    }
    waiter?.resume(returning: value)
    return isFirst
  }

  /// The result, for one task that waits until there is one.
  var value: Value {
    get async {
      await withCheckedContinuation { continuation in
        let ended = state.withLockedValue { state -> Value? in
          if case .ended(let value) = state { return value }
          state = .waiting(continuation)
          return nil
        }
        if let ended { continuation.resume(returning: ended) }
      }
    }
  }
}

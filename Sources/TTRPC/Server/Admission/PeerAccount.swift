internal import NIOConcurrencyHelpers
internal import Synchronization

/// A counter that several threads change.
final class Count: Sendable {
  private let number = Atomic(0)

  var value: Int { number.load(ordering: .relaxed) }

  func add(_ change: Int) { number.add(change, ordering: .relaxed) }

  /// Adds one, unless the result would exceed the limit.
  ///
  /// - Returns: False if the limit is reached.
  func increment(upTo limit: Int) -> Bool {
    guard number.add(1, ordering: .relaxed).newValue <= limit else {
      number.subtract(1, ordering: .relaxed)
      return false
    }
    return true
  }

  func decrement() { number.subtract(1, ordering: .relaxed) }
}

/// The numbers of open connections and calls of one user, of all guests, or of the whole server.
struct Usage: Sendable {
  let connections = Count()
  /// The calls whose handlers have not returned, without endless calls.
  let calls = Count()
  /// The endless calls whose handlers have not returned.
  let endlessCalls = Count()
}

/// The counters of all connections of one user id.
///
/// An account exists as long as the user has a connection.
final class PeerAccount: Sendable {
  let userID: UInt32
  let usage = Usage()
  /// The user's connections among ``ServerLimits/reservedConnections``.
  let reservedConnections = Count()
  private let endlessCalls = NIOLockedValueBox(EndlessCalls())

  /// The endless calls that have not ended, in ascending order of their numbers: the oldest first.
  private struct EndlessCalls {
    var lastNumber = 0
    var calls: [(number: Int, call: ServerCall)] = []

    /// Returns the index of a number, or of the first higher one.
    func index(of number: Int) -> Int {
      var low = 0
      var high = calls.endIndex
      while low < high {
        let middle = (low + high) / 2
        if calls[middle].number < number { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  init(userID: UInt32) {
    self.userID = userID
  }

  /// Adds an endless call.
  ///
  /// - Returns: The call's number, for ``remove(_:)``.
  func add(_ call: ServerCall) -> Int {
    endlessCalls.withLockedValue { state in
      state.lastNumber += 1
      state.calls.append((state.lastNumber, call))
      return state.lastNumber
    }
  }

  /// Removes the oldest endless calls above a limit.
  ///
  /// - Returns: The removed calls, which the caller has to end.
  func removeOldest(above limit: Int) -> [ServerCall] {
    endlessCalls.withLockedValue { state in
      let oldest = state.calls.prefix(max(state.calls.count - limit, 0)).map(\.call)
      state.calls.removeFirst(oldest.count)
      return oldest
    }
  }

  /// Removes an endless call that has ended, unless it was removed before.
  func remove(_ number: Int) {
    endlessCalls.withLockedValue { state in
      let index = state.index(of: number)
      guard index < state.calls.endIndex, state.calls[index].number == number else { return }
      state.calls.remove(at: index)
    }
  }
}

/// The kind of a call, which decides the limits that apply to it.
enum CallKind {
  /// A call that is answered from memory, before the connection does anything else.
  ///
  /// No other call runs at the same time, so it is admitted even if the server is full.
  case immediate
  /// A call that ends by itself or has a deadline.
  case bounded
  /// A stream without a deadline, which may never end.
  case endless

  init(_ method: Method, hasDeadline: Bool) {
    switch method.handler {
    case .immediate: self = .immediate
    case .deferred, .unary: self = .bounded
    case .serverStreaming, .clientStreaming, .bidirectional:
      self = hasDeadline ? .bounded : .endless
    }
  }
}

/// The account and the budget under which a connection was admitted.
struct Admission: Sendable {
  let account: PeerAccount
  /// The limits of the connection's user, which a change of policy replaces.
  var budget: PeerBudget
  /// A Boolean value that indicates whether the connection is one of
  /// ``ServerLimits/reservedConnections``.
  ///
  /// Such a connection serves only HTTP and methods that answer from memory.
  let isReserved: Bool
}

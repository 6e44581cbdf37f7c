internal import NIOConcurrencyHelpers
internal import Synchronization

/// A number that several threads count up and down.
final class Count: Sendable {
  private let number = Atomic(0)

  var value: Int { number.load(ordering: .relaxed) }

  func add(_ change: Int) { number.add(change, ordering: .relaxed) }

  /// Counts one more, unless that is above the limit.
  func take(upTo limit: Int) -> Bool {
    guard number.add(1, ordering: .relaxed).newValue <= limit else {
      number.subtract(1, ordering: .relaxed)
      return false
    }
    return true
  }

  func give() { number.subtract(1, ordering: .relaxed) }
}

/// The connections and calls that one user, all guests, or the whole server have now.
struct Usage: Sendable {
  let connections = Count()
  /// Calls whose handlers have not returned, endless calls excluded.
  let calls = Count()
  /// Endless calls whose handlers have not returned.
  let endlessCalls = Count()
}

/// The counters that all connections of one user id share, as long as there are any.
final class PeerAccount: Sendable {
  let userID: UInt32
  let usage = Usage()
  /// Connections from the server's reserve.
  let reservedConnections = Count()
  private let endlessCalls = NIOLockedValueBox(EndlessCalls())

  /// Endless calls that have not ended, by their numbers, the oldest first.
  private struct EndlessCalls {
    var lastNumber = 0
    var calls: [(number: Int, call: ServerCall)] = []

    /// Where a number is, or the first above it.
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

  /// Adds an endless call, and returns its number.
  func add(_ call: ServerCall) -> Int {
    endlessCalls.withLockedValue { state in
      state.lastNumber += 1
      state.calls.append((state.lastNumber, call))
      return state.lastNumber
    }
  }

  /// Removes the oldest endless calls above a limit, and returns them: they are to be ended.
  func removeOldest(above limit: Int) -> [ServerCall] {
    endlessCalls.withLockedValue { state in
      let oldest = state.calls.prefix(max(state.calls.count - limit, 0)).map(\.call)
      state.calls.removeFirst(oldest.count)
      return oldest
    }
  }

  /// Removes an endless call that has ended.
  func remove(_ number: Int) {
    endlessCalls.withLockedValue { state in
      let index = state.index(of: number)
      guard index < state.calls.endIndex, state.calls[index].number == number else { return }
      state.calls.remove(at: index)
    }
  }
}

/// How a call counts against the limits.
enum CallKind {
  /// Answered from memory, before the connection does anything else: the call is never in flight beside
  /// others, and is admitted however full the server is.
  case immediate
  /// A call that ends by itself or has a deadline.
  case bounded
  /// A stream whose caller set no deadline: it may never end.
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

/// The account and the budget with which a connection was admitted.
struct Admission: Sendable {
  let account: PeerAccount
  /// The limits of its user, which a change of policy replaces.
  var budget: PeerBudget
  /// Whether the connection is one of the reserve's: it only gets what is answered from memory and HTTP.
  let isReserved: Bool
}

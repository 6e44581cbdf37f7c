internal import NIOConcurrencyHelpers
internal import Synchronization

/// The current load of a server, over all its connections and threads.
public final class ServerLoad: Sendable {
  private let limits: ServerLimits
  private let all = Usage()
  private let guests = Usage()
  /// The open connections among ``ServerLimits/reservedConnections``, which `all` does not count.
  private let reservedConnections = Count()
  /// The counters of each user that has connections or calls that run, by user id.
  private let accounts = NIOLockedValueBox<[UInt32: PeerAccount]>([:])
  private let queuedBytes = Atomic(0)

  init(_ limits: ServerLimits) {
    self.limits = limits
  }

  /// The number of calls whose handlers have not returned, endless calls included.
  public var callsInFlight: Int { all.calls.value + all.endlessCalls.value }

  /// The number of open connections, reserved connections included.
  public var openConnections: Int { all.connections.value + reservedConnections.value }

  /// The number of bytes that wait to be read, by handlers or by peers.
  public var bytesQueued: Int { queuedBytes.load(ordering: .relaxed) }

  /// Changes the number of queued bytes.
  ///
  /// - Returns: The new number.
  func changeQueuedBytes(by change: Int) -> Int {
    queuedBytes.add(change, ordering: .relaxed).newValue
  }

  // MARK: Connections

  /// Admits a connection of a user, and counts it.
  ///
  /// - Returns: `nil` if a limit of the server, the user or the guests is reached and no reserved
  ///   connection is left.
  func connectionOpened(by userID: UInt32, _ budget: PeerBudget) -> Admission? {
    // Under the lock, so that an account is not removed while a connection is added to it.
    accounts.withLockedValue { accounts in
      let account = accounts[userID] ?? PeerAccount(userID: userID)
      guard let admission = admit(to: account, budget) else { return nil }
      accounts[userID] = account
      return admission
    }
  }

  private func admit(to account: PeerAccount, _ budget: PeerBudget) -> Admission? {
    if countOneMore(
      all.connections, limits.connections, account.usage.connections, budget.connections,
      budget.isGuest ? guests.connections : nil)
    {
      return Admission(account: account, budget: budget, isReserved: false)
    }
    let isReserved = countOneMore(
      reservedConnections, limits.reservedConnections, account.reservedConnections,
      Self.reservedConnectionsPerUser, nil)
    return isReserved ? Admission(account: account, budget: budget, isReserved: true) : nil
  }

  func connectionClosed(_ admission: Admission) {
    let account = admission.account
    accounts.withLockedValue { accounts in
      if admission.isReserved {
        reservedConnections.decrement()
        account.reservedConnections.decrement()
      } else {
        all.connections.decrement()
        account.usage.connections.decrement()
        if admission.budget.isGuest { guests.connections.decrement() }
      }
      removeIfUnused(account, from: &accounts)
    }
  }

  /// Removes an account without connections and without calls that outlive theirs.
  private func removeIfUnused(_ account: PeerAccount, from accounts: inout [UInt32: PeerAccount]) {
    let calls = account.usage.calls.value + account.usage.endlessCalls.value
    // Another thread may have removed it, and the user may have a new one.
    guard !account.hasConnections, calls == 0, accounts[account.userID] === account else { return }
    accounts[account.userID] = nil
  }

  /// The maximum number of reserved connections of one user, so that no user takes all of them.
  private static let reservedConnectionsPerUser = 2

  // MARK: Calls

  /// Counts a call, unless a limit of the server, the user or the guests is reached.
  ///
  /// - Returns: False if a limit is reached.
  func callStarted(_ kind: CallKind, _ admission: Admission) -> Bool {
    let (usage, budget) = (admission.account.usage, admission.budget)
    switch kind {
    case .immediate:
      countCall(by: 1, admission)
      return true
    case .bounded:
      return countOneMore(
        all.calls, limits.calls, usage.calls, budget.calls, budget.isGuest ? guests.calls : nil)
    case .endless:
      // Above its limit, the user's oldest calls are ended, but are counted until their handlers
      // return. The factor of two admits new calls in the meantime.
      let (limit, overflows) = budget.endlessCalls.multipliedReportingOverflow(by: 2)
      return countOneMore(
        all.endlessCalls, limits.endlessCalls, usage.endlessCalls, overflows ? .max : limit,
        budget.isGuest ? guests.endlessCalls : nil)
    }
  }

  func callEnded(_ kind: CallKind, _ admission: Admission) {
    switch kind {
    case .immediate, .bounded: countCall(by: -1, admission)
    case .endless:
      all.endlessCalls.decrement()
      admission.account.usage.endlessCalls.decrement()
      if admission.budget.isGuest { guests.endlessCalls.decrement() }
    }
    let account = admission.account
    if !account.hasConnections {
      accounts.withLockedValue { removeIfUnused(account, from: &$0) }
    }
  }

  /// Changes the number of calls in flight without checking a limit.
  private func countCall(by change: Int, _ admission: Admission) {
    all.calls.add(change)
    admission.account.usage.calls.add(change)
    if admission.budget.isGuest { guests.calls.add(change) }
  }

  /// Adds a connection and its calls to the guests' counters, or subtracts them.
  ///
  /// - Parameter isGuest: True if the connection's user has become a guest; false if the user is no
  ///   longer a guest.
  func guestChanged(to isGuest: Bool, connections: Int, calls: Int, endlessCalls: Int) {
    let sign = isGuest ? 1 : -1
    guests.connections.add(sign * connections)
    guests.calls.add(sign * calls)
    guests.endlessCalls.add(sign * endlessCalls)
  }

  /// Adds one to a counter of the server, of a user and, if given, of the guests.
  ///
  /// - Returns: False if a limit is reached, in which case nothing is counted.
  private func countOneMore(
    _ all: Count, _ limit: Int, _ user: Count, _ userLimit: Int, _ guests: Count?
  ) -> Bool {
    guard all.increment(upTo: limit) else { return false }
    guard user.increment(upTo: userLimit) else {
      all.decrement()
      return false
    }
    // All guests together get half of the limit, but at least one.
    guard guests?.increment(upTo: max(limit / 2, 1)) ?? true else {
      all.decrement()
      user.decrement()
      return false
    }
    return true
  }
}

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
/// An account exists as long as the user has a connection, or a call that runs.
final class PeerAccount: Sendable {
  let userID: UInt32
  let usage = Usage()
  /// The user's connections among ``ServerLimits/reservedConnections``.
  let reservedConnections = Count()
  var hasConnections: Bool { usage.connections.value + reservedConnections.value > 0 }
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

  init(_ handler: Method.Handler, hasDeadline: Bool) {
    switch handler {
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

/// The limits of one user, which apply to all connections of a user id together.
///
/// The server's own ``ServerLimits`` apply as well.
public struct PeerBudget: Sendable, Hashable {
  /// The maximum number of open connections.
  ///
  /// Further connections are taken from ``ServerLimits/reservedConnections`` or closed.
  public var connections: Int
  /// The maximum number of calls in flight, without endless calls.
  ///
  /// Further calls get ``StatusCode/resourceExhausted``.
  public var calls: Int
  /// The maximum number of endless calls (see ``ServerLimits/endlessCalls``).
  ///
  /// Each further one ends the user's oldest endless call.
  public var endlessCalls: Int
  /// A Boolean value that indicates whether the user is a guest.
  ///
  /// All guests together get at most half of the server's connections and calls, whatever the
  /// number of their user ids.
  public var isGuest: Bool

  /// Creates a budget with the given limits.
  public init(connections: Int, calls: Int, endlessCalls: Int, isGuest: Bool = false) {
    self.connections = connections
    self.calls = calls
    self.endlessCalls = endlessCalls
    self.isGuest = isGuest
  }

  /// A budget without limits; only the server's own ``ServerLimits`` apply.
  public static let unlimited = PeerBudget(connections: .max, calls: .max, endlessCalls: .max)
}

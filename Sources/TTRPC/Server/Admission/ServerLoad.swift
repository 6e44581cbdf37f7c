internal import NIOConcurrencyHelpers
internal import Synchronization

/// The current load of a server, over all its connections and threads.
public final class ServerLoad: Sendable {
  private let limits: ServerLimits
  private let all = Usage()
  private let guests = Usage()
  /// The open connections among ``ServerLimits/reservedConnections``, which `all` does not count.
  private let reservedConnections = Count()
  /// The counters of each user that has connections, by user id.
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
      if account.usage.connections.value + account.reservedConnections.value == 0 {
        accounts[account.userID] = nil
      }
    }
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
  }

  /// Changes the number of calls in flight without checking a limit.
  func countCall(by change: Int, _ admission: Admission) {
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

internal import NIOConcurrencyHelpers
internal import Synchronization

/// The current load of a server, over all its connections and threads.
public final class ServerLoad: Sendable {
  private let limits: ServerLimits
  private let all = Usage()
  private let guests = Usage()
  /// Connections of the reserve, which do not count among the others.
  private let reservedConnections = Count()
  /// By user id, those that have connections.
  private let accounts = NIOLockedValueBox<[UInt32: PeerAccount]>([:])
  private let queuedBytes = Atomic(0)

  init(_ limits: ServerLimits) {
    self.limits = limits
  }

  /// The number of calls whose handlers have not returned.
  public var callsInFlight: Int { all.calls.value + all.endlessCalls.value }

  /// The number of open connections.
  public var openConnections: Int { all.connections.value + reservedConnections.value }

  /// The number of bytes that wait to be read, by handlers and by peers.
  public var bytesQueued: Int { queuedBytes.load(ordering: .relaxed) }

  /// Counts bytes that were queued, or no longer are. Returns how many are queued now.
  func queuedBytesChanged(by change: Int) -> Int {
    queuedBytes.add(change, ordering: .relaxed).newValue
  }

  // MARK: Connections

  /// Counts one more connection of a user.
  ///
  /// - Returns: `nil` where the server, the user or the guests have as many as they may, and nothing is
  ///   left of the reserve.
  func connectionOpened(by userID: UInt32, _ budget: PeerBudget) -> Admission? {
    // Under the lock, so that an account is not removed while a connection is being added to it.
    accounts.withLockedValue { accounts in
      let account = accounts[userID] ?? PeerAccount(userID: userID)
      guard let admission = admit(to: account, budget) else { return nil }
      accounts[userID] = account
      return admission
    }
  }

  private func admit(to account: PeerAccount, _ budget: PeerBudget) -> Admission? {
    if take(
      all.connections, limits.connections, account.usage.connections, budget.connections,
      budget.isGuest ? guests.connections : nil)
    {
      return Admission(account: account, budget: budget, isReserved: false)
    }
    let hasReserve = take(
      reservedConnections, limits.reservedConnections, account.reservedConnections,
      Self.reservedConnectionsPerUser, nil)
    return hasReserve ? Admission(account: account, budget: budget, isReserved: true) : nil
  }

  func connectionClosed(_ admission: Admission) {
    let account = admission.account
    accounts.withLockedValue { accounts in
      if admission.isReserved {
        reservedConnections.give()
        account.reservedConnections.give()
      } else {
        all.connections.give()
        account.usage.connections.give()
        if admission.budget.isGuest { guests.connections.give() }
      }
      if account.usage.connections.value + account.reservedConnections.value == 0 {
        accounts[account.userID] = nil
      }
    }
  }

  /// The maximum number of reserved connections of one user, so that no user takes all of them.
  private static let reservedConnectionsPerUser = 2

  // MARK: Calls

  /// Counts one more call, unless that is above a limit of the server, the user or the guests.
  func callStarted(_ kind: CallKind, _ admission: Admission) -> Bool {
    let (usage, budget) = (admission.account.usage, admission.budget)
    switch kind {
    case .immediate:
      countCall(by: 1, admission)
      return true
    case .bounded:
      return take(
        all.calls, limits.calls, usage.calls, budget.calls, budget.isGuest ? guests.calls : nil)
    case .endless:
      // At the user's limit the oldest are ended, and their handlers may take a moment to return.
      let (limit, isAboveAll) = budget.endlessCalls.multipliedReportingOverflow(by: 2)
      return take(
        all.endlessCalls, limits.endlessCalls, usage.endlessCalls, isAboveAll ? .max : limit,
        budget.isGuest ? guests.endlessCalls : nil)
    }
  }

  func callEnded(_ kind: CallKind, _ admission: Admission) {
    switch kind {
    case .immediate, .bounded: countCall(by: -1, admission)
    case .endless:
      all.endlessCalls.give()
      admission.account.usage.endlessCalls.give()
      if admission.budget.isGuest { guests.endlessCalls.give() }
    }
  }

  /// Counts a call that is not held to any limit.
  func countCall(by change: Int, _ admission: Admission) {
    all.calls.add(change)
    admission.account.usage.calls.add(change)
    if admission.budget.isGuest { guests.calls.add(change) }
  }

  /// Adds what a connection has open to the guests' counters, or takes it away from them, since its user
  /// has become a guest or is none any more.
  func guestChanged(to isGuest: Bool, connections: Int, calls: Int, endlessCalls: Int) {
    let sign = isGuest ? 1 : -1
    guests.connections.add(sign * connections)
    guests.calls.add(sign * calls)
    guests.endlessCalls.add(sign * endlessCalls)
  }

  /// Counts one more for the server, the user and, where there are any, the guests, or for none of them.
  private func take(
    _ all: Count, _ limit: Int, _ user: Count, _ userLimit: Int, _ guests: Count?
  ) -> Bool {
    guard all.take(upTo: limit) else { return false }
    guard user.take(upTo: userLimit) else {
      all.give()
      return false
    }
    // Half for all guests, at least one of what there is.
    guard guests?.take(upTo: max(limit / 2, 1)) ?? true else {
      all.give()
      user.give()
      return false
    }
    return true
  }
}

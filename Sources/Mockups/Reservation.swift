public import FoundationEssentials

/// Credits set aside for a user: not spent yet, and not free.
public struct Reservation: Sendable, Hashable {
  public var userID: UUID
  /// Made by the client, unique for the user.
  public var id: UUID
  public var state: ReservationState
  /// What was asked for.
  public var credits: Int32
  /// What was set aside: of a best effort perhaps less than was asked for.
  public var granted: Int32
  /// What of it is still set aside.
  public var held: Int32
  /// What was spent, ``overrun`` included.
  public var committed: Int32
  /// What of that is more than was granted.
  public var overrun: Int32
  public var operation: Operation
  /// The budget it is charged to, fixed when it is made and kept when it is settled later.
  public var period: Period
  public var createdAt: Date
  public var expiresAt: Date
  /// When the vendor was about to be called.
  public var dispatchedAt: Date?
  /// When it was committed, released, expired or refused; `nil` while it is open.
  public var settledAt: Date?
  public var mockupID: UUID?
  /// Reservations of one group can be released together.
  public var groupID: UUID?
  /// The id of the commit that settled it.
  public var commitID: UUID?
  /// It was committed after its time had passed.
  public var isLate: Bool

  /// What was granted and is not spent: what an open one holds, and an expired one held.
  public var left: Int32 { granted - (committed - overrun) }

  public init(
    userID: UUID, id: UUID, state: ReservationState, credits: Int32, granted: Int32? = nil,
    held: Int32, committed: Int32 = 0, overrun: Int32 = 0, operation: Operation, period: Period,
    createdAt: Date, expiresAt: Date, dispatchedAt: Date? = nil, settledAt: Date? = nil,
    mockupID: UUID? = nil, groupID: UUID? = nil, commitID: UUID? = nil, isLate: Bool = false
  ) {
    self.userID = userID
    self.id = id
    self.state = state
    self.credits = credits
    self.granted = granted ?? credits
    self.held = held
    self.committed = committed
    self.overrun = overrun
    self.operation = operation
    self.period = period
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.dispatchedAt = dispatchedAt
    self.settledAt = settledAt
    self.mockupID = mockupID
    self.groupID = groupID
    self.commitID = commitID
    self.isLate = isLate
  }
}

/// Where a reservation stands; raw values are the database's words.
///
///          dispatch
///     HELD ────────► DISPATCHED ────────► COMMITTED (some was spent, the rest is free again)
///       │                │   its time        ▲
///       │ its time       └───► UNRESOLVED ───┘ late
///       └────► EXPIRED ──────────────────────┘ late, where the credits are still there
///
/// HELD, DISPATCHED and UNRESOLVED are open: they hold what they have not spent, a commit that is not the
/// last one leaves them as they are, and they can be released (RELEASED; COMMITTED where something was
/// spent before). A reservation that found too few credits is REFUSED from the start, and stays so.
public enum ReservationState: String, Sendable, Hashable, CaseIterable {
  case held
  /// The vendor may have been called: its time may pass without its credits being free.
  case dispatched
  /// Dispatched, and its time has passed: what became of the call is not known, and its credits stay set
  /// aside until somebody says.
  case unresolved
  case committed
  case released
  case expired
  case refused

  /// Whether it can still be settled without asking what is available.
  public var isOpen: Bool {
    switch self {
    case .held, .dispatched, .unresolved: true
    case .committed, .released, .expired, .refused: false
    }
  }
}

/// A month of a budget's year, in UTC.
public struct Period: Sendable, Hashable {
  public var year: Int32
  /// 1 to 12.
  public var month: Int32

  public init(year: Int32, month: Int32) {
    self.year = year
    self.month = month
  }
}

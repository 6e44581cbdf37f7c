public import FoundationEssentials

/// Credits that are held for a user until they are spent, released or expire.
public struct Reservation: Sendable, Hashable {
  /// The user whose credits are held.
  public var userID: UUID
  /// The idempotency key, made by the client and unique for the user.
  public var id: UUID
  /// The state at the time when the reservation was read.
  public var state: ReservationState
  /// The number of credits that the client requested.
  public var credits: Int32
  /// The number of credits that were reserved.
  ///
  /// In the mode ``ReservationMode/bestEffort`` it may be less than ``credits``. It is 0 if the
  /// reservation was refused.
  public var granted: Int32
  /// The number of credits that are still held.
  public var held: Int32
  /// The number of credits that commits spent, ``overrun`` included.
  public var committed: Int32
  /// The part of ``committed`` that exceeds ``granted``.
  public var overrun: Int32
  /// The operation that the credits are spent on: a generation or a regeneration.
  public var operation: Operation
  /// The year and month whose budget is charged.
  ///
  /// It is fixed when the reservation is made, and kept when the reservation is settled later.
  public var period: Period
  /// The time when the reservation was made.
  public var createdAt: Date
  /// The time at which the reservation expires, or expired, unless it is settled first.
  public var expiresAt: Date
  /// The time of the first dispatch, or nil if the reservation was never dispatched.
  public var dispatchedAt: Date?
  /// The time when the reservation was committed, released, expired or refused.
  ///
  /// It is nil while the reservation is open.
  public var settledAt: Date?
  /// The mockup that the credits are for, or nil if the client named none.
  public var mockupID: UUID?
  /// The group of reservations that can be released together, or nil if there is none.
  public var groupID: UUID?
  /// The id of the commit that settled the reservation, or nil if none did.
  public var commitID: UUID?
  /// A Boolean value that indicates whether credits were committed after the expiry.
  public var isLate: Bool

  /// The number of granted credits that are not spent.
  ///
  /// An open reservation holds these credits. An expired reservation held them until it expired.
  public var left: Int32 { granted - (committed - overrun) }

  /// Creates a reservation from its values.
  ///
  /// - Parameter granted: The credits that were reserved; nil means all of `credits`.
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

/// The state of a reservation.
///
/// ```
///      dispatch              final commit
/// HELD ────────► DISPATCHED ──────────────► COMMITTED
///   │ expiry         │ expiry                  ▲
///   │                └───► UNRESOLVED ─────────┤ late commit
///   └────► EXPIRED ────────────────────────────┘ late commit, if the credits are still available
/// ```
///
/// HELD, DISPATCHED and UNRESOLVED are the open states. An open reservation holds the credits that
/// it has not spent. A commit that is not final leaves the state unchanged. A final commit, also of
/// a HELD reservation, releases the credits that are left. A release leads to RELEASED, or to
/// COMMITTED if an earlier commit spent credits. A reservation for which too few credits were
/// available is REFUSED from the start, and stays so.
///
/// The raw values are those of the column `state` in the database.
public enum ReservationState: String, Sendable, Hashable, CaseIterable {
  /// Credits are reserved, and the vendor has not been called.
  case held
  /// The vendor may have been called, so the credits stay held after the expiry.
  case dispatched
  /// The reservation expired while it was dispatched.
  ///
  /// The vendor may have charged. The credits stay held until an administrator or a late settlement
  /// settles the reservation.
  case unresolved
  /// The reservation is settled, and credits were spent.
  case committed
  /// The reservation is settled, and no credits were spent.
  case released
  /// The reservation expired while it was held, and its credits became available.
  ///
  /// A late commit can still spend them while they are available.
  case expired
  /// Too few credits were available, and nothing was reserved.
  case refused

  /// A Boolean value that indicates whether the reservation can be settled from the credits it
  /// holds.
  public var isOpen: Bool {
    switch self {
    case .held, .dispatched, .unresolved: true
    case .committed, .released, .expired, .refused: false
    }
  }
}

/// A month of a budget year, in UTC.
public struct Period: Sendable, Hashable {
  /// The year, whose annual budget applies.
  public var year: Int32
  /// The month, from 1 to 12, whose soft limit applies.
  public var month: Int32

  /// Creates a period from a year and a month.
  public init(year: Int32, month: Int32) {
    self.year = year
    self.month = month
  }
}

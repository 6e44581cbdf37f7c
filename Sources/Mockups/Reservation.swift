public import FoundationEssentials

/// Credits set aside for a user: not spent yet, and not free.
public struct Reservation: Sendable, Hashable {
  public var userID: UUID
  /// Made by the client, unique for the user.
  public var id: UUID
  public var state: ReservationState
  /// What was asked for.
  public var credits: Int32
  /// What of it is still set aside.
  public var held: Int32
  /// What of it was spent.
  public var committed: Int32
  public var operation: Operation
  /// The budget it is charged to, fixed when it is made and kept when it is settled later.
  public var period: Period
  public var createdAt: Date
  public var expiresAt: Date
  /// When it left ``ReservationState/held``.
  public var settledAt: Date?
  public var mockupID: UUID?
  /// The id under which it was committed.
  public var commitID: UUID?
  /// It was committed after it had expired.
  public var isLate: Bool

  public init(
    userID: UUID, id: UUID, state: ReservationState, credits: Int32, held: Int32,
    committed: Int32 = 0, operation: Operation, period: Period, createdAt: Date, expiresAt: Date,
    settledAt: Date? = nil, mockupID: UUID? = nil, commitID: UUID? = nil, isLate: Bool = false
  ) {
    self.userID = userID
    self.id = id
    self.state = state
    self.credits = credits
    self.held = held
    self.committed = committed
    self.operation = operation
    self.period = period
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.settledAt = settledAt
    self.mockupID = mockupID
    self.commitID = commitID
    self.isLate = isLate
  }
}

/// Where a reservation stands; raw values are the database's words.
///
///          commit
///     HELD ──────► COMMITTED (the whole, or a part; the rest is free again)
///       │ release
///       ├────────► RELEASED
///       │ its time
///       └────────► EXPIRED ──► COMMITTED (late, where the credits are still there)
///
/// A reservation that found too few credits is REFUSED from the start, and stays so.
public enum ReservationState: String, Sendable, Hashable, CaseIterable {
  case held
  case committed
  case released
  case expired
  case refused
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

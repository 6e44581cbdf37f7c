public import FoundationEssentials

/// One row of the ledger: credits that were spent or given back, never changed afterwards.
public struct LedgerEntry: Sendable, Hashable {
  public var id: UUID
  public var userID: UUID
  /// Its place in the user's year, from 1.
  public var sequence: Int64
  /// The operation tells which way they went.
  public var credits: Int32
  /// `nil` where an old row has a word that is none of ours.
  public var operation: Operation?
  /// The budget less what was used, before and after.
  public var balanceBefore: Int32
  public var balanceAfter: Int32
  public var period: Period
  public var createdAt: Date
  public var mockupID: UUID?
  public var reservationID: UUID?
  /// Committed after the reservation's time had passed.
  public var isLate: Bool
  /// What of it is more than the reservation had been granted.
  public var overrun: Int32
  /// The charge that a refund gives back, or a part of it.
  public var refundedEntryID: UUID?

  public init(
    id: UUID, userID: UUID, sequence: Int64, credits: Int32, operation: Operation?,
    balanceBefore: Int32, balanceAfter: Int32, period: Period, createdAt: Date,
    mockupID: UUID? = nil, reservationID: UUID? = nil, isLate: Bool = false,
    overrun: Int32 = 0, refundedEntryID: UUID? = nil
  ) {
    self.id = id
    self.userID = userID
    self.sequence = sequence
    self.credits = credits
    self.operation = operation
    self.balanceBefore = balanceBefore
    self.balanceAfter = balanceAfter
    self.period = period
    self.createdAt = createdAt
    self.mockupID = mockupID
    self.reservationID = reservationID
    self.isLate = isLate
    self.overrun = overrun
    self.refundedEntryID = refundedEntryID
  }
}

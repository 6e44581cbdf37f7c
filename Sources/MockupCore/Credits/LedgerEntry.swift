public import FoundationEssentials

/// An entry of the ledger: credits that were spent or refunded.
///
/// Entries are never changed.
public struct LedgerEntry: Sendable, Hashable {
  /// The id, made by the server or by PostgreSQL.
  public var id: UUID
  /// The user whose credits were spent or refunded.
  public var userID: UUID
  /// The position among the entries of the user's year, from 1.
  public var sequence: Int64
  /// The number of credits, at least 1, except in entries of the initial schema.
  ///
  /// A charge spends them, and a refund gives them back.
  public var credits: Int32
  /// The operation, or nil if an entry of the initial schema has an unknown one.
  public var operation: Operation?
  /// The annual budget minus the year's used credits before the entry, clamped to 32 bits.
  public var balanceBefore: Int32
  /// The annual budget minus the year's used credits after the entry, clamped to 32 bits.
  public var balanceAfter: Int32
  /// The year and month to which the entry is charged, which may precede ``createdAt``.
  public var period: Period
  /// The time when the entry was written.
  public var createdAt: Date
  /// The mockup that the credits were spent on, or nil if there is none or it was deleted.
  public var mockupID: UUID?
  /// The reservation whose commit made the charge, or nil in entries of the initial schema.
  ///
  /// A refund has the reservation of its charge.
  public var reservationID: UUID?
  /// A Boolean value that indicates whether the reservation had expired when it was committed.
  public var isLate: Bool
  /// The part of ``credits`` that exceeds what the reservation was granted.
  public var overrun: Int32
  /// The id of the charge that a refund gives back, fully or partly, or nil if this is a charge.
  public var refundedEntryID: UUID?

  /// Creates an entry from its values.
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

/// The operation of a ledger entry or a reservation.
///
/// The raw values are those of the column `operation` in the database.
public enum Operation: String, Sendable, Hashable, CaseIterable {
  /// Credits are spent on a mockup's first picture.
  case generation
  /// Credits are spent on another picture for a mockup.
  case regeneration
  /// Credits of an earlier charge are given back.
  case refund
}

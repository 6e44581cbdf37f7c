public import FoundationEssentials
public import MockupCore
public import Postgres

/// An error of a call that reads or changes a user's credits.
///
/// Nothing has changed, unless ``database(_:)`` reports that the outcome is unknown.
public enum CreditError: Error, Sendable {
  /// No user has this id.
  case unknownUser(UUID)
  /// The mockup does not exist, or belongs to another user.
  case unknownMockup(UUID)
  /// The user has no reservation with this id.
  case unknownReservation(UUID)
  /// The idempotency key was used for a request that differs in this field.
  case conflict(Conflict)
  /// The user's ledger has no entry with this id.
  case unknownEntry(UUID)
  /// The user has no reservation in this group.
  case unknownGroup(UUID)
  /// The state of the reservation does not allow the call.
  case notOpen(Reservation)
  /// The commit exceeds the credits that are left in the reservation, and may not overrun.
  case exceedsHeld(Reservation)
  /// The reservation's commits would exceed 2^31 - 1 credits in total.
  case exceedsMaximum(Reservation)
  /// Too few credits are available for an overrun, or for a late commit of an expired reservation.
  case insufficient(Usage)
  /// The ledger entry is not a charge, so it cannot be refunded.
  case notACharge(UUID)
  /// The refund exceeds the charge minus its earlier refunds.
  case exceedsCharge(UUID)
  /// The item is valid, but its all-or-nothing batch was rolled back because another item failed.
  case batchFailed
  /// The database failed, or is unavailable.
  case database(PostgresError)

  /// The field in which a request differs from an earlier one with the same idempotency key.
  ///
  /// The raw values are the names of the fields in the outcomes of the engine's functions.
  public enum Conflict: String, Sendable, Hashable {
    /// The number of credits.
    case credits
    /// The operation that the credits are spent on.
    case operation
    /// The time to live of a reservation.
    case timeToLive = "time_to_live"
    /// The mockup that a reservation is for.
    case mockupID = "mockup_id"
    /// The group of a reservation.
    case groupID = "group_id"
    /// The mode of a reservation.
    case mode
    /// The flag that makes a commit final.
    case final
    /// The flag that allows a commit to exceed the held credits.
    case allowOverrun = "allow_overrun"
    /// The ledger entry that a refund gives back.
    case entryID = "entry_id"
  }
}

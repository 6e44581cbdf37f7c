public import FoundationEssentials
public import Mockups
public import Postgres

/// Why a user's credits could not be read or changed. Nothing has changed then, save where
/// ``database(_:)`` says that the outcome is unknown.
public enum CreditError: Error, Sendable {
  case unknownUser(UUID)
  /// There is no such mockup, or it is another user's.
  case unknownMockup(UUID)
  /// The user has no reservation of this id.
  case unknownReservation(UUID)
  /// The id was used for a request that differs in this field.
  case conflict(Conflict)
  /// The user's ledger has no entry of this id.
  case unknownEntry(UUID)
  /// The user has no reservation of this group.
  case unknownGroup(UUID)
  /// The reservation's state forbids it.
  case notOpen(Reservation)
  /// More than the reservation has set aside.
  case exceedsHeld(Reservation)
  /// The reservation's commits would come to more than 2^31 - 1 credits.
  case exceedsMaximum(Reservation)
  /// What is available is not enough for a commit of more than is held, or of what had expired.
  case insufficient(Usage)
  /// The ledger's entry charges nothing, so nothing of it can be refunded.
  case notACharge(UUID)
  /// More than the charge came to, less what of it was refunded before.
  case exceedsCharge(UUID)
  /// Nothing is wrong with it; another one of its batch failed, and it was to be all or nothing.
  case batchFailed
  case database(PostgresError)

  /// The field in which a request differs from the one that was sent before under its id.
  public enum Conflict: String, Sendable, Hashable {
    case credits
    case operation
    case timeToLive = "time_to_live"
    case mockupID = "mockup_id"
    case groupID = "group_id"
    case mode
    case final
    case allowOverrun = "allow_overrun"
    case entryID = "entry_id"
  }
}

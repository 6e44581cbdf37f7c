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
  /// The reservation's state forbids it.
  case notOpen(Reservation)
  /// More than the reservation has set aside.
  case exceedsHeld(Reservation)
  /// The reservation had expired, and what is available is no longer enough.
  case insufficient(Usage)
  case database(PostgresError)

  /// The field in which a request differs from the one that was sent before under its id.
  public enum Conflict: String, Sendable, Hashable {
    case credits
    case operation
    case timeToLive = "time_to_live"
    case mockupID = "mockup_id"
  }
}

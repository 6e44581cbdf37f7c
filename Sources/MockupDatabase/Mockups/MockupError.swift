public import FoundationEssentials
public import MockupCore
public import Postgres

/// An error of a call that reads or changes mockups.
///
/// Nothing has changed, unless ``database(_:)`` reports that the outcome is unknown.
public enum MockupError: Error, Sendable {
  /// No user has this id.
  case unknownUser(UUID)
  /// The mockup does not exist, or belongs to another user.
  case unknownMockup(UUID)
  /// The quote does not exist, or belongs to another user.
  case unknownQuote(UUID)
  /// The idempotency key, or the attempt, was used for a request that differs in this field.
  case conflict(field: String)
  /// The mockup's current status (the first value) does not allow a change to the wanted status.
  case wrongStatus(MockupStatus, wanted: MockupStatus)
  /// The worker lost its lease, and the mockup is now in this attempt.
  case lostLease(attempt: Int32)
  /// The vendor's response is not a JSON object, or cannot be stored.
  case invalidMetadata
  /// The mockup's reservation was settled by another call; the value is the reservation's state.
  case reservationNotOpen(String)
  /// The charge exceeds the credits that are held for the mockup, and may not overrun.
  case exceedsHeld
  /// The reservation's commits would exceed 2^31 - 1 credits in total.
  case exceedsMaximum
  /// The charge exceeds the credits that are held, and too few are available for the excess.
  case insufficient(Usage)
  /// The database failed, or is unavailable.
  case database(PostgresError)
}

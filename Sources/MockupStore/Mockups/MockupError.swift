public import FoundationEssentials
public import Mockups
public import Postgres

/// Why mockups could not be read or changed. Nothing has changed then, save where ``database(_:)`` says
/// that the outcome is unknown.
public enum MockupError: Error, Sendable {
  case unknownUser(UUID)
  /// There is no such mockup, or it is another user's.
  case unknownMockup(UUID)
  /// There is no such quote, or it is another user's.
  case unknownQuote(UUID)
  /// The id, or the attempt, was used for a request that differs in this field.
  case conflict(field: String)
  /// The mockup's status does not lead to this one.
  case wrongStatus(MockupStatus, wanted: MockupStatus)
  /// The mockup was claimed again, as this attempt.
  case lostLease(attempt: Int32)
  /// The vendor's answer is no JSON object, or one that cannot be stored.
  case invalidMetadata
  /// The mockup's reservation was settled by somebody else.
  case reservationNotOpen(String)
  /// More than is set aside for the mockup, and an overrun was not allowed.
  case exceedsHeld
  /// The reservation's commits would come to more than 2^31 - 1 credits.
  case exceedsMaximum
  /// More than is set aside, and more than is available.
  case insufficient(Usage)
  case database(PostgresError)
}

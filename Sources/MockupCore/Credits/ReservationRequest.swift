public import FoundationEssentials

/// A validated request for a reservation.
public struct ReservationRequest: Sendable, Hashable {
  /// The time to live of a reservation whose caller states none: 15 minutes.
  public static let defaultTimeToLive: Duration = .seconds(900)
  /// The maximum time to live: 24 hours.
  public static let maximumTimeToLive: Duration = .seconds(86_400)

  /// The user whose credits are reserved.
  public let userID: UUID
  /// The idempotency key, made by the client and unique for the user.
  public let id: UUID
  /// The number of credits to reserve, at least 1.
  public let credits: Int32
  /// The operation that the credits are spent on: a generation or a regeneration.
  public let operation: Operation
  /// The time after which the reservation expires, in whole seconds.
  public let timeToLive: Duration
  /// The mockup that the credits are for, which must belong to the user, or nil if there is none.
  public let mockupID: UUID?
  /// The group of reservations that can be released together, or nil if there is none.
  public let groupID: UUID?
  /// The behavior if too few credits are available.
  public let mode: ReservationMode

  /// A limit that a request violates.
  public enum Violation: Error, Sendable, Hashable {
    /// The number of credits is less than 1.
    case creditsBelowOne
    /// The operation is a refund, which spends no credits.
    case operationReservesNothing
    /// The time to live is not a whole number of seconds from 1 to ``maximumTimeToLive``.
    case timeToLiveOutOfRange
  }

  /// Creates a request and checks its limits.
  ///
  /// - Throws: The first limit that the request violates.
  public init(
    userID: UUID, id: UUID, credits: Int32, operation: Operation = .generation,
    timeToLive: Duration = defaultTimeToLive, mockupID: UUID? = nil, groupID: UUID? = nil,
    mode: ReservationMode = .normal
  ) throws(Violation) {
    guard credits >= 1 else { throw .creditsBelowOne }
    guard operation != .refund else { throw .operationReservesNothing }
    guard Self.allows(timeToLive: timeToLive) else { throw .timeToLiveOutOfRange }
    self.userID = userID
    self.id = id
    self.credits = credits
    self.operation = operation
    self.timeToLive = timeToLive
    self.mockupID = mockupID
    self.groupID = groupID
    self.mode = mode
  }

  /// Returns a Boolean value that indicates whether a time to live is within the limits.
  ///
  /// The same limits hold for a new reservation and for one that is extended.
  public static func allows(timeToLive: Duration) -> Bool {
    timeToLive.components.attoseconds == 0 && timeToLive >= .seconds(1)
      && timeToLive <= maximumTimeToLive
  }
}

/// The behavior of a reservation if too few credits are available.
///
/// The raw values are those of the column `mode` in the database.
public enum ReservationMode: String, Sendable, Hashable, CaseIterable {
  /// Reserves all requested credits, or none.
  case normal
  /// Reserves as many of the requested credits as are available, and is refused if none are.
  case bestEffort = "best_effort"
}

/// The decision on a reservation, with the user's credits after it.
public struct Admission: Sendable, Hashable {
  /// A Boolean value that indicates whether credits were reserved.
  public var isAdmitted: Bool
  /// The user's credits after the decision.
  public var usage: Usage

  /// Creates a decision that has been made already.
  public init(isAdmitted: Bool, usage: Usage) {
    self.isAdmitted = isAdmitted
    self.usage = usage
  }

  /// Decides on a reservation of all of `credits` or nothing.
  ///
  /// - Parameters:
  ///   - credits: The credits to reserve.
  ///   - usage: The user's credits before the decision.
  public init(of credits: Int32, in usage: Usage) {
    let isAdmitted = usage.admits(credits)
    self.init(isAdmitted: isAdmitted, usage: isAdmitted ? usage.holding(credits) : usage)
  }

  /// The credits that are available after the decision, clamped to 32 bits.
  ///
  /// It is negative if the budget was lowered below what is used and held already.
  public var remaining: Int32 { Int32(clamping: usage.available) }

  /// The decision as a message for people.
  public var message: String {
    isAdmitted
      ? "Credits reserved successfully." : "Insufficient credits. \(remaining) remaining."
  }
}

public import FoundationEssentials

/// What a reservation is asked for with. Once made, it is within the limits.
public struct ReservationRequest: Sendable, Hashable {
  /// How long credits stay set aside where the request does not say.
  public static let defaultTimeToLive: Duration = .seconds(900)
  /// The longest that credits may stay set aside.
  public static let maximumTimeToLive: Duration = .seconds(86_400)

  public let userID: UUID
  public let id: UUID
  public let credits: Int32
  public let operation: Operation
  /// Whole seconds.
  public let timeToLive: Duration
  public let mockupID: UUID?
  /// Reservations of one group can be released together.
  public let groupID: UUID?
  public let mode: ReservationMode

  /// A limit that a request does not keep.
  public enum Violation: Error, Sendable, Hashable {
    case creditsBelowOne
    /// Only what spends credits can be reserved for.
    case operationReservesNothing
    /// Whole seconds, from one to ``maximumTimeToLive``.
    case timeToLiveOutOfRange
  }

  /// - Throws: The first limit that is not kept.
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

  /// Whether credits may stay set aside for so long, from the start or from when it is extended.
  public static func allows(timeToLive: Duration) -> Bool {
    timeToLive.components.attoseconds == 0 && timeToLive >= .seconds(1)
      && timeToLive <= maximumTimeToLive
  }
}

/// What a reservation does where credits are short; raw values are the database's words.
public enum ReservationMode: String, Sendable, Hashable, CaseIterable {
  /// All the credits, or none of them.
  case normal
  /// As many of them as there are, and none where there are none.
  case bestEffort = "best_effort"
}

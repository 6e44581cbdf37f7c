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
    timeToLive: Duration = defaultTimeToLive, mockupID: UUID? = nil
  ) throws(Violation) {
    guard credits >= 1 else { throw .creditsBelowOne }
    guard operation != .refund else { throw .operationReservesNothing }
    guard timeToLive.components.attoseconds == 0, timeToLive >= .seconds(1),
      timeToLive <= Self.maximumTimeToLive
    else { throw .timeToLiveOutOfRange }
    self.userID = userID
    self.id = id
    self.credits = credits
    self.operation = operation
    self.timeToLive = timeToLive
    self.mockupID = mockupID
  }
}

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

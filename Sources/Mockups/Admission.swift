/// Whether a reservation was admitted, and what is left after it.
public struct Admission: Sendable, Hashable {
  public var isAdmitted: Bool
  /// The user's credits after the decision.
  public var usage: Usage

  public init(isAdmitted: Bool, usage: Usage) {
    self.isAdmitted = isAdmitted
    self.usage = usage
  }

  /// What a reservation of so many credits would be told, if these are the user's.
  public init(of credits: Int32, in usage: Usage) {
    let isAdmitted = usage.admits(credits)
    self.init(isAdmitted: isAdmitted, usage: isAdmitted ? usage.holding(credits) : usage)
  }

  /// What is available after the decision, within what the answer's 32 bits can say.
  public var remaining: Int32 { Int32(clamping: usage.available) }

  /// The decision in words.
  public var message: String {
    isAdmitted
      ? "Credits reserved successfully." : "Insufficient credits. \(remaining) remaining."
  }
}

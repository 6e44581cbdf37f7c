internal import FoundationEssentials

/// Random numbers that a failed test can be run with again (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  /// What it started from.
  public let seed: UInt64
  private var state: UInt64

  public init(seed: UInt64) {
    self.seed = seed
    state = seed
  }

  /// Starts from the number in an environment variable, or from a random one, and prints it.
  public init(printingSeedOf variable: String) {
    let given = ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) }
    self.init(seed: given ?? .random(in: 0...UInt64.max))
    print("\(variable)=\(seed)")
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}

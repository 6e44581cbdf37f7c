internal import FoundationEssentials

/// A generator of random numbers with a seed, so that a failed test can be repeated (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  /// The seed, which determines all numbers.
  public let seed: UInt64
  private var state: UInt64

  /// Creates a generator with a seed.
  public init(seed: UInt64) {
    self.seed = seed
    state = seed
  }

  /// Creates a generator with the seed in an environment variable, or a random one, and prints it.
  public init(printingSeedOf variable: String) {
    let given = ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) }
    self.init(seed: given ?? .random(in: 0...UInt64.max))
    print("\(variable)=\(seed)")
  }

  /// Returns the next number.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}

internal import FoundationEssentials

/// A generator of random numbers with a seed (SplitMix64).
struct SampleGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }

  /// Returns a random UUID (version 4).
  mutating func uuid() -> UUID {
    var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    let text = bytes.map { byte in
      String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }
    func part(_ range: Range<Int>) -> String { text[range].joined() }
    let parts = [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map(part)
    guard let uuid = UUID(uuidString: parts.joined(separator: "-")) else {
      preconditionFailure("the text of a UUID is malformed")
    }
    return uuid
  }
}

import Foundation
import ProtobufC
import Testing

/// Decoding of random input.
///
/// To repeat a failure, run `PROTOBUFC_TEST_SEED=<seed> swift test`.
@Suite struct RandomInputTests {
  private static let rounds = 10_000

  private static let seed =
    ProcessInfo.processInfo.environment["PROTOBUFC_TEST_SEED"].flatMap { UInt64($0) }
    ?? UInt64.random(in: 0...UInt64.max)

  private static let originals: [[UInt8]] = KnownEncodingTests.samples.map { $0.0.serialized() }

  @Test func `random bytes never trap`() {
    print("PROTOBUFC_TEST_SEED=\(Self.seed)")
    var random = SplitMix64(state: Self.seed)
    for _ in 0..<Self.rounds {
      let length = Int.random(in: 0...64, using: &random)
      check((0..<length).map { _ in UInt8.random(in: 0...255, using: &random) })
    }
  }

  @Test func `a damaged message never traps`() {
    print("PROTOBUFC_TEST_SEED=\(Self.seed)")
    var random = SplitMix64(state: Self.seed)
    for _ in 0..<Self.rounds {
      var bytes: [UInt8] = []
      for _ in 0...Int.random(in: 0...2, using: &random) {
        bytes += Self.originals.randomElement(using: &random) ?? []
      }
      for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
        let index = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0...3, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 2: bytes.remove(at: index)
        default: bytes = record(Int.random(in: 1...17, using: &random), bytes)
        }
      }
      check(bytes)
    }
  }

  private func check(_ bytes: [UInt8]) {
    checkReencoding(Scalars.self, bytes)
    checkReencoding(Lists.self, bytes)
    checkReencoding(Rich.self, bytes)
    checkReencoding(Tree.self, bytes)
    checkReencoding(Crowd.self, bytes)
    checkReencoding(Words.self, bytes)
  }

  /// Checks that accepted input is encoded the same after another round trip.
  private func checkReencoding<M: ProtobufMessage>(_ type: M.Type, _ bytes: [UInt8]) {
    guard let value = try? M(serialized: bytes, limits: .init(memory: 1 << 20)) else { return }
    let once = value.serialized()
    let twice = (try? M(serialized: once))?.serialized()
    #expect(twice == once, "PROTOBUFC_TEST_SEED=\(Self.seed) \(M.fullName) \(bytes)")
  }
}

/// A seeded random number generator; see <https://prng.di.unimi.it/splitmix64.c>.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

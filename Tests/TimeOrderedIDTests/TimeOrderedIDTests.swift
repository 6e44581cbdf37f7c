import FoundationEssentials
import Testing
import TimeOrderedID

@Suite struct TimeOrderedIDTests {
  /// A random number generator that always returns the same bits.
  private struct Constant: RandomNumberGenerator {
    let bits: UInt64
    func next() -> UInt64 { bits }
  }

  private func id(_ seconds: Double, _ bits: UInt64) -> String {
    var random = Constant(bits: bits)
    return UUID.timeOrdered(at: Date(timeIntervalSince1970: seconds), using: &random).uuidString
  }

  @Test func `the fields of an id are laid out as in RFC 9562`() {
    // The time of the example in RFC 9562, appendix A.6: 2022-02-22T19:22:22Z.
    #expect(id(1_645_557_742, 0) == "017F22E2-79B0-7000-8000-000000000000")
    #expect(id(1_645_557_742, .max) == "017F22E2-79B0-7FFF-BFFF-FFFFFFFFFFFF")
  }

  @Test func `a later id is greater, and a time out of range is clamped`() {
    #expect(id(1_645_557_742, .max) < id(1_645_557_742.001, 0))
    #expect(id(-1, 0) == "00000000-0000-7000-8000-000000000000")
    #expect(id(1e15, 0) == "FFFFFFFF-FFFF-7000-8000-000000000000")
  }

  @Test func `no two ids are the same`() {
    #expect(Set((0..<10_000).map { _ in UUID.timeOrdered() }).count == 10_000)
  }
}

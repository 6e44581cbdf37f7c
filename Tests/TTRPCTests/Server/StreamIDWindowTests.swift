import TestSupport
import Testing

@testable import TTRPC

@Suite struct StreamIDWindowTests {
  /// Marks ids as used, and returns the ids that the window refuses.
  private static func refused(_ ids: [UInt32]) -> [UInt32] {
    var window = StreamIDWindow()
    return ids.filter { !window.take($0) }
  }

  @Test func `ids out of order are accepted once each`() {
    #expect(Self.refused([1, 5, 3, 9, 7, 3, 5, 11, 1]) == [3, 5, 1])
    #expect(Self.refused([483, 195, 1, 195]) == [195])
  }

  @Test func `an id is accepted while it is within the window`() {
    let size = UInt32(StreamIDWindow.size)
    let first: UInt32 = 3
    #expect(Self.refused([1, first + 2 * (size - 1), first]) == [])
    #expect(Self.refused([1, first + 2 * size, first]) == [first])
    // After a long jump, all earlier ids are outside the window.
    #expect(Self.refused([1, 4_294_967_295, first, 1, 4_294_967_293]) == [first, 1])
  }

  /// To repeat a failure, set `MOCKUPD_TEST_SEED` to the printed seed.
  @Test func `the window agrees with a set of used ids and a bound`() {
    var random = SeededGenerator(printingSeedOf: "MOCKUPD_TEST_SEED")
    for _ in 0..<20 {
      var window = StreamIDWindow()
      var used: Set<UInt32> = []
      var highest: UInt32 = 0
      for _ in 0..<3000 {
        let id: UInt32
        switch Int.random(in: 0..<8, using: &random) {
        case 0: id = highest &+ 2 * .random(in: 0...6000, using: &random) | 1
        case 1, 2: id = (highest &+ 2 * .random(in: 1...50, using: &random)) | 1
        case 3: id = .random(in: 0...max(highest, 1), using: &random) | 1
        default:
          let back = UInt32.random(in: 0...UInt32(2 * StreamIDWindow.size + 100), using: &random)
          id = (highest > back ? highest - back : 1) | 1
        }
        let isRecent = id > highest || (highest - id) / 2 < UInt32(StreamIDWindow.size)
        let isUnused = isRecent && !used.contains(id)
        #expect(window.take(id) == isUnused, "\(id) after \(highest)")
        used.insert(id)
        highest = max(highest, id)
        #expect(window.highest == highest)
      }
    }
  }
}

import TestSupport
import Testing

@testable import TTRPC

@Suite struct StreamTableTests {
  /// To repeat a failure, set `MOCKUPD_TEST_SEED` to the printed seed.
  @Test func `a stream table behaves like a dictionary`() {
    var random = SeededGenerator(printingSeedOf: "MOCKUPD_TEST_SEED")
    for _ in 0..<50 {
      var table = StreamTable<Int>()
      var dictionary: [UInt32: Int] = [:]
      var lastID: UInt32 = 0
      for step in 0..<300 {
        let known = dictionary.keys.sorted().randomElement(using: &random)
        let id = known ?? .random(in: 0...(lastID + 2), using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0, 1:
          // Sometimes an id below the last one.
          let isLate = lastID > 0 && Int.random(in: 0..<4, using: &random) == 0
          let newID =
            isLate
            ? UInt32.random(in: 0...lastID, using: &random)
            : lastID + UInt32.random(in: 1...5, using: &random)
          lastID = max(lastID, newID)
          table[newID] = step
          dictionary[newID] = step
        case 2 where known != nil:
          table[id] = -step
          dictionary[id] = -step
        case 3:
          #expect(table.removeValue(for: id) == dictionary.removeValue(forKey: id))
        default:
          table[id] = nil
          dictionary[id] = nil
        }
        let other = UInt32.random(in: 0...(lastID + 2), using: &random)
        #expect(table[other] == dictionary[other])
        #expect(table.count == dictionary.count)
        #expect(table.isEmpty == dictionary.isEmpty)
      }
      #expect(
        table.ids { $0 < 0 } == dictionary.filter { $0.value < 0 }.map(\.key).sorted())
    }
  }
}

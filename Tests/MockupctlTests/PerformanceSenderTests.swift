import FoundationEssentials
import MockupClient
import Testing

@testable import mockupctl

/// The ids of the batches of an input.
@Suite struct PerformanceSenderTests {
  private static func id(_ number: UInt8) -> UUID {
    UUID(
      uuid: (0xF4, 0x7A, 0xC1, 0x0B, 0x58, 0xCC, 0x43, 0x72, 0xA5, 0x67, 0, 0, 0, 0, 0, number))
  }

  @Test func `inputs with neighbouring ids have no batches in common`() {
    var ids: Set<UUID> = []
    for number in UInt8.min...UInt8.max {
      for batch in UInt32(0)..<256 { ids.insert(Self.id(number).batch(batch)) }
    }
    #expect(ids.count == 256 * 256)
  }

  @Test func `the first batch has the id of the input, and the others ids of version 8`() {
    let id = Self.id(7)
    #expect(id.batch(0) == id)
    for batch in [1, 2, UInt32.max] {
      let bytes = id.batch(batch).uuid
      #expect(bytes.6 >> 4 == 8 && bytes.8 >> 6 == 2)
    }
    // An input may be sent again by a later version of the program.
    #expect(id.batch(1).wireText == "4216c342-b0cb-8f0c-8116-7e5bfda1c0d4")
    #expect(id.batch(2).wireText == "d31da28b-6f38-8ea1-94c4-8294b6aad897")
  }

  @Test func `each bit of the id and of the number changes half of the bits`() {
    func ones(_ id: UUID, _ other: UUID) -> Int {
      let (a, b) = (id.uuid, other.uuid)
      return unsafe withUnsafeBytes(of: a) { a in
        unsafe withUnsafeBytes(of: b) { b in
          unsafe zip(a, b).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
        }
      }
    }
    var changed = 0
    for bit in 0..<8 {
      for number in UInt8.min...UInt8.max {
        let id = Self.id(number)
        changed += ones(id.batch(1), Self.id(number ^ 1 << bit).batch(1))
        changed += ones(id.batch(256), id.batch(256 + 1 << bit))
      }
    }
    let mean = Double(changed) / (2 * 8 * 256)
    #expect((60.5...61.5).contains(mean), "\(mean)")
  }
}

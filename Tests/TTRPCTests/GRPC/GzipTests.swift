import NIOCore
import TestSupport
import Testing

@testable import GRPC
@testable import TTRPC

/// The decoder of gzip members.
@Suite struct GzipTests {
  private static func inflated(_ member: [UInt8], limit: Int = 1000) throws(Gzip.Failure) -> [UInt8]
  {
    try Gzip.inflated(ByteBuffer(bytes: member), limit: limit)
  }

  private static let text = Array("a message, a message, a message".utf8)

  @Test(arguments: [0, 1, 2, 999, 1000])
  func `a member is inflated`(_ length: Int) throws {
    let content = (0..<length).map { UInt8(truncatingIfNeeded: $0 * $0) }
    #expect(try Self.inflated(gzip(content)) == content)
  }

  @Test func `the bytes before a member in the buffer are no part of it`() throws {
    var buffer = ByteBuffer(bytes: [1, 2, 3] + gzip(Self.text))
    buffer.moveReaderIndex(forwardBy: 3)
    #expect(try Gzip.inflated(buffer, limit: 1000) == Self.text)
  }

  @Test(arguments: [1001, 5000, 10_000_000])
  func `content above the limit is refused`(_ length: Int) {
    let member = gzip([UInt8](repeating: 0, count: length))
    #expect(throws: Gzip.Failure.tooLong) { try Self.inflated(member) }
  }

  @Test(arguments: [0, 1, 999, 1001, UInt32.max])
  func `a member that states a wrong length is malformed`(_ length: UInt32) {
    var member = gzip([UInt8](repeating: 7, count: 1000))
    for (index, shift) in [0, 8, 16, 24].enumerated() {
      member[member.count - 4 + index] = UInt8(truncatingIfNeeded: length >> shift)
    }
    #expect(throws: Gzip.Failure.malformed) { try Self.inflated(member) }
  }

  @Test func `each truncated member is malformed`() {
    let member = gzip(Self.text)
    for length in member.indices {
      #expect(throws: Gzip.Failure.malformed) { try Self.inflated(Array(member.prefix(length))) }
    }
  }

  @Test func `bytes after a member are malformed`() {
    let member = gzip(Self.text)
    for rest in [[0], [UInt8](repeating: 0, count: 100), member, Self.text] {
      #expect(throws: Gzip.Failure.malformed) { try Self.inflated(member + rest) }
    }
  }

  @Test func `other formats are malformed`() {
    let zlib: [UInt8] = [0x78, 0x9c, 0x03, 0, 0, 0, 0, 1]
    let deflate: [UInt8] = [0x03, 0]
    for bytes in [zlib, deflate] {
      #expect(throws: Gzip.Failure.malformed) { try Self.inflated(bytes) }
    }
  }

  @Test func `a changed byte never gives other content`() {
    let member = gzip(Self.text)
    // The bytes of the header from 4 to 9 are a time, hints and the operating system.
    for index in member.indices where !(4..<10).contains(index) {
      for bit in 0..<8 {
        var changed = member
        changed[index] ^= 1 << bit
        let content = try? Self.inflated(changed)
        #expect(content == nil || content == Self.text, "bit \(bit) of byte \(index)")
      }
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `random bytes behind a header are not inflated`(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
        UInt8.random(in: .min ... .max, using: &random)
      }
      #expect(throws: Gzip.Failure.self) {
        try Self.inflated(Array(gzip([]).prefix(10)) + bytes)
      }
    }
  }
}

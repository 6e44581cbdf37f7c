import NIOCore
import TestSupport
import Testing

@testable import GRPC
@testable import TTRPC

/// The decoder of gzip members.
@Suite struct GzipDecoderTests {
  private static func decoded(
    _ member: [UInt8], limit: Int = 1000, part: Int = .max
  ) throws(GzipDecoder.Failure) -> [UInt8] {
    let decoder = GzipDecoder(ByteBuffer(bytes: member), limit: limit)
    while try !decoder.decode(part) {}
    return decoder.content
  }

  private static let partLengths = [1, 2, 7, 999, 1000, 1001, .max]

  private static let text = Array("a message, a message, a message".utf8)

  @Test(arguments: [0, 1, 2, 999, 1000])
  func `a member is decoded, at once or in parts`(_ length: Int) throws {
    let content = (0..<length).map { UInt8(truncatingIfNeeded: $0 * $0) }
    for part in Self.partLengths {
      #expect(try Self.decoded(gzip(content), part: part) == content)
    }
  }

  @Test func `the bytes before a member in the buffer are no part of it`() throws {
    var buffer = ByteBuffer(bytes: [1, 2, 3] + gzip(Self.text))
    buffer.moveReaderIndex(forwardBy: 3)
    let decoder = GzipDecoder(buffer, limit: 1000)
    #expect(try decoder.decode(.max))
    #expect(decoder.content == Self.text)
  }

  @Test func `a member of blocks without content is decoded in parts`() throws {
    let (header, trailer) = (gzip([]).prefix(10), [UInt8](repeating: 0, count: 8))
    // Stored blocks of zero bytes (RFC 1951, section 3.2.4), and the last one.
    let blocks = [[UInt8]](repeating: [0, 0, 0, 0xff, 0xff], count: 1000).joined()
    let member = header + blocks + [1, 0, 0, 0xff, 0xff] + trailer
    let decoder = GzipDecoder(ByteBuffer(bytes: member), limit: 1000)
    var parts = 1
    while try !decoder.decode(100) { parts += 1 }
    #expect(decoder.content.isEmpty)
    #expect(parts >= member.count / 100)
  }

  @Test(arguments: [1001, 5000, 10_000_000])
  func `content above the limit is refused`(_ length: Int) {
    let member = gzip([UInt8](repeating: 0, count: length))
    for part in Self.partLengths where part > 100 || length < 10_000 {
      #expect(throws: GzipDecoder.Failure.tooLong) { try Self.decoded(member, part: part) }
    }
  }

  @Test(arguments: [0, 1, 999, 1001, UInt32.max])
  func `a member that states a wrong length is malformed`(_ length: UInt32) {
    var member = gzip([UInt8](repeating: 7, count: 1000))
    for (index, shift) in [0, 8, 16, 24].enumerated() {
      member[member.count - 4 + index] = UInt8(truncatingIfNeeded: length >> shift)
    }
    for part in Self.partLengths {
      #expect(throws: GzipDecoder.Failure.malformed) { try Self.decoded(member, part: part) }
    }
  }

  @Test func `each truncated member is malformed`() {
    let member = gzip(Self.text)
    for length in member.indices {
      let start = Array(member.prefix(length))
      #expect(throws: GzipDecoder.Failure.malformed) { try Self.decoded(start) }
      #expect(throws: GzipDecoder.Failure.malformed) { try Self.decoded(start, part: 3) }
    }
  }

  @Test func `bytes after a member are malformed`() {
    let member = gzip(Self.text)
    for rest in [[0], [UInt8](repeating: 0, count: 100), member, Self.text] {
      #expect(throws: GzipDecoder.Failure.malformed) { try Self.decoded(member + rest) }
    }
  }

  @Test func `other formats are malformed`() {
    let zlib: [UInt8] = [0x78, 0x9c, 0x03, 0, 0, 0, 0, 1]
    let deflate: [UInt8] = [0x03, 0]
    for bytes in [zlib, deflate] {
      #expect(throws: GzipDecoder.Failure.malformed) { try Self.decoded(bytes) }
    }
  }

  @Test func `a changed byte never gives other content`() {
    let member = gzip(Self.text)
    // The bytes of the header from 4 to 9 are a time, hints and the operating system.
    for index in member.indices where !(4..<10).contains(index) {
      for bit in 0..<8 {
        var changed = member
        changed[index] ^= 1 << bit
        let content = try? Self.decoded(changed)
        #expect(content == nil || content == Self.text, "bit \(bit) of byte \(index)")
      }
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `random bytes behind a header are not decoded`(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
        UInt8.random(in: .min ... .max, using: &random)
      }
      #expect(throws: GzipDecoder.Failure.self) {
        try Self.decoded(Array(gzip([]).prefix(10)) + bytes)
      }
    }
  }
}

import Testing

@testable import GRPC
@testable import TTRPC

/// The reader of messages in the data of a stream.
@Suite struct GRPCMessageReaderTests {
  private static func frame(_ flag: UInt8, _ content: [UInt8], length: Int? = nil) -> [UInt8] {
    let length = length ?? content.count
    return [flag] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + content
  }

  private static func reader(
    _ bytes: [UInt8], _ encoding: GRPCMessageReader.Encoding = .gzip, limit: Int = 100
  ) -> GRPCMessageReader {
    var reader = GRPCMessageReader(limit: limit, encoding: encoding)
    reader.append(bytes)
    return reader
  }

  @Test func `each message has a flag of its own`() throws {
    let compressed = gzip([4, 5])
    var reader = Self.reader(
      Self.frame(0, [1, 2, 3]) + Self.frame(1, compressed) + Self.frame(0, []) + [0, 0, 0])
    #expect(try reader.next() == .init(bytes: [1, 2, 3], frameLength: 8))
    #expect(
      try reader.next()
        == .init(bytes: [4, 5], frameLength: 5 + compressed.count, isCompressed: true))
    #expect(try reader.next() == .init(bytes: [], frameLength: 5))
    #expect(try reader.next() == nil)
    #expect(reader.isInsideMessage)
    #expect(reader.bufferedBytes == 3)
  }

  @Test func `bytes may arrive one by one`() throws {
    var reader = GRPCMessageReader(limit: 100, encoding: .gzip)
    var messages: [[UInt8]] = []
    for byte in Self.frame(1, gzip([9, 8])) + Self.frame(0, [7]) {
      reader.append([byte])
      while let message = try reader.next() { messages.append(message.bytes) }
    }
    #expect(messages == [[9, 8], [7]])
    #expect(!reader.isInsideMessage)
  }

  @Test func `a compressed message is decoded in parts`() throws {
    // The member has fewer bytes than each part.
    let content = [UInt8](repeating: 7, count: 100)
    let frame = Self.frame(1, gzip(content))
    var reader = Self.reader(frame + Self.frame(1, gzip(content)))
    for decoded in [0, 40, 80] {
      var decodableBytes = decoded == 0 ? 0 : 40
      #expect(try reader.next(decodableBytes: &decodableBytes) == nil)
      #expect(decodableBytes == 0)
      #expect(reader.isDecoding)
      #expect(reader.bufferedBytes == 2 * frame.count + decoded)
    }
    var decodableBytes = 40
    let message = try reader.next(decodableBytes: &decodableBytes)
    #expect(message == .init(bytes: content, frameLength: frame.count, isCompressed: true))
    #expect(decodableBytes == 20 - GRPCMessageReader.bytesPerMember)
    #expect(!reader.isDecoding)
    #expect(try reader.next()?.bytes == content)
    #expect(!reader.isInsideMessage)
  }

  @Test func `each compressed message takes part of the budget of a turn`() throws {
    let frame = Self.frame(1, gzip([]))
    var reader = Self.reader(frame + frame + frame)
    var decodableBytes = 2 * GRPCMessageReader.bytesPerMember
    var count = 0
    while try reader.next(decodableBytes: &decodableBytes) != nil { count += 1 }
    #expect(count == 2)
    #expect(reader.isDecoding)
  }

  private static let malformed: [(String, [UInt8], GRPCMessageReader.Encoding, StatusCode)] = [
    ("a compressed message without an encoding", frame(1, gzip([1])), .identity, .internalError),
    ("an unknown flag", frame(2, [1]), .gzip, .internalError),
    ("a flag with further bits", frame(0x81, gzip([1])), .gzip, .internalError),
    ("an empty compressed message", frame(1, []), .gzip, .internalError),
    ("no gzip", frame(1, [1, 2, 3]), .gzip, .internalError),
    ("a truncated member", frame(1, gzip([1]).dropLast()), .gzip, .internalError),
    ("bytes after the member", frame(1, gzip([1]) + [0]), .gzip, .internalError),
    ("two members", frame(1, gzip([1]) + gzip([2])), .gzip, .internalError),
    ("a message above the limit", frame(0, [], length: 101), .gzip, .resourceExhausted),
    (
      "a compressed message above the limit", frame(1, [], length: 101), .gzip, .resourceExhausted
    ),
    (
      "a message above the limit when decompressed",
      frame(1, gzip([UInt8](repeating: 0, count: 101))), .gzip, .resourceExhausted
    ),
  ]

  @Test(arguments: malformed)
  func `a malformed message has a status`(
    _ name: String, _ bytes: [UInt8], _ encoding: GRPCMessageReader.Encoding, _ code: StatusCode
  ) throws {
    var reader = Self.reader(bytes, encoding)
    let error = #expect(throws: RPCError.self) { try reader.next() }
    #expect(error?.code == code, "\(name)")
  }

  @Test func `a message of the limit's size is read`() throws {
    let bytes = [UInt8](repeating: 0, count: 100)
    for flag in [0, 1] as [UInt8] {
      var reader = Self.reader(Self.frame(flag, flag == 0 ? bytes : gzip(bytes)))
      #expect(try reader.next()?.bytes == bytes)
    }
  }

  @Test(
    arguments: [
      (frame(0, [1, 2, 3]), [1, 2, 3]), (frame(0, []), []), (frame(0, [1, 2, 3]) + [0], nil),
      (frame(0, [1, 2], length: 3), nil), (frame(1, [1, 2, 3]), nil), (frame(2, [1]), nil),
      (frame(0, [1, 2, 3, 4]), nil), ([0, 0, 0, 0], nil), ([], nil),
      (frame(0, [1], length: 0x8000_0001), nil),
    ] as [([UInt8], [UInt8]?)])
  func `data is one message if it is nothing else`(_ data: [UInt8], _ message: [UInt8]?) {
    let found = unsafe data.withUnsafeBytes { data in
      unsafe GRPCMessageReader.onlyMessage(in: data, limit: 3).map { unsafe Array($0) }
    }
    #expect(found == message)
  }
}

extension GRPCMessageReader {
  fileprivate mutating func append(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe append($0) }
  }

  fileprivate mutating func next() throws(RPCError) -> Message? {
    var decodableBytes = Int.max
    return try next(decodableBytes: &decodableBytes)
  }
}

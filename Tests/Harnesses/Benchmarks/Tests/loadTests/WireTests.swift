import Testing

@testable import load

@Suite struct WireTests {
  @Test func `a header has ten bytes and can be read back`() {
    let header = FrameHeader(length: 0x1b, streamID: 0x0102_0305, kind: 1, flags: 6)
    #expect(header.bytes == [0, 0, 0, 0x1b, 1, 2, 3, 5, 1, 6])
    let read = unsafe header.bytes.withUnsafeBytes { bytes in
      unsafe bytes.baseAddress.map { unsafe FrameHeader(at: $0) }
    }
    #expect(read == header)
  }

  @Test func `a written message is read back field by field`() {
    var message = MessageWriter()
    message.varint(1, 300)
    let start = message.string(2, "text")
    message.message(1000, [])
    #expect(message.bytes == [8, 0xac, 2, 0x12, 4] + Array("text".utf8) + [0xc2, 0x3e, 0])
    #expect(start == 5)
    #expect(
      fields(message.bytes) == [
        Field(number: 1, value: 300), Field(number: 2, bytes: Array("text".utf8)),
        Field(number: 1000),
      ])
  }

  @Test func `fields of fixed size are skipped`() {
    let message: [UInt8] = [0x0d, 1, 2, 3, 4, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x18, 7]
    #expect(fields(message)?.last == Field(number: 3, value: 7))
  }

  @Test(
    arguments: [
      [0x08], [0x08, 0x80], [0x12, 5, 1], [0x0d, 1, 2, 3], [0x11, 1], [0x0b], [0x80],
      [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
      [0x08] + [UInt8](repeating: 0xff, count: 12),
    ] as [[UInt8]])
  func `malformed bytes end the scan`(_ message: [UInt8]) {
    #expect(fields(message) == nil)
  }

  @Test func `an empty response is OK but not a success`() throws {
    try withAnswer([]) { answer in
      #expect(answer.code == 0)
      #expect(!answer.succeeded)
    }
  }

  @Test func `a status has a code and a message`() throws {
    let body: [UInt8] = [0x0a, 0x08, 0x08, 0x02, 0x12, 0x04, 0x62, 0x6f, 0x6f, 0x6d]
    try withAnswer(body) { answer in
      #expect(answer.code == 2)
      #expect(answer.messageText == "boom")
    }
  }

  @Test(
    arguments: [([8, 1, 16, 5], true), ([8, 0], false), ([16, 5], false)] as [([UInt8], Bool)])
  func `the first field of a response says whether a reservation succeeded`(
    _ payload: [UInt8], _ expected: Bool
  ) throws {
    var envelope = MessageWriter()
    envelope.message(2, payload)
    try withAnswer(envelope.bytes) { #expect($0.succeeded == expected) }
  }

  @Test(arguments: [[0x0a, 5, 8], [0x0a, 1, 8]])
  func `a truncated envelope is not an answer`(_ body: [UInt8]) {
    #expect(unsafe body.withUnsafeBytes { unsafe Answer($0) == nil })
  }

  private func withAnswer(_ body: [UInt8], _ check: (Answer) -> Void) throws {
    try unsafe body.withUnsafeBytes { check(try #require(unsafe Answer($0))) }
  }
}

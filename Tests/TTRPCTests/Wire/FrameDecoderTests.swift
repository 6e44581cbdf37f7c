import NIOCore
import Testing

@testable import TTRPC

@Suite struct FrameDecoderTests {
  static let stream = Golden.echoRequest + Golden.echoResponse + Golden.unknownService

  private static func events(
    of bytes: [UInt8], cutAt cuts: [Int], maximumPayload: Int = 4_194_304
  ) -> [FrameDecoder.Event] {
    var decoder = FrameDecoder(maximumPayload: maximumPayload)
    var events: [FrameDecoder.Event] = []
    var start = 0
    for cut in cuts + [bytes.count] {
      decoder.append(ByteBuffer(bytes: bytes[start..<cut]))
      while let event = decoder.next() { events.append(event) }
      start = cut
    }
    return events
  }

  private static func frame(
    _ streamID: UInt32, _ type: FrameType, _ payload: some Collection<UInt8>
  ) -> FrameDecoder.Event {
    .frame(
      FrameHeader(
        length: UInt32(payload.count), streamID: streamID, type: type.rawValue, flags: []),
      payload: ByteBuffer(bytes: payload))
  }

  @Test func `recorded frames are decoded`() {
    #expect(
      Self.events(of: Self.stream, cutAt: []) == [
        Self.frame(1, .request, Golden.echoRequest.dropFirst(10)),
        Self.frame(1, .response, [0x12, 2, 8, 0x2a]),
        Self.frame(5, .response, Golden.unknownService.dropFirst(10)),
      ])
  }

  @Test(arguments: 1..<stream.count)
  func `frames are decoded the same however they are split`(at cut: Int) {
    #expect(
      Self.events(of: Self.stream, cutAt: [cut]) == Self.events(of: Self.stream, cutAt: []))
  }

  @Test func `frames are decoded from single bytes`() {
    #expect(
      Self.events(of: Self.stream, cutAt: Array(1..<Self.stream.count))
        == Self.events(of: Self.stream, cutAt: []))
  }

  @Test func `a payload of exactly the size limit is accepted, and one byte more is not`() {
    let atLimit = Golden.bytes("00000004 00000001 02 00 01020304")
    let above = Golden.bytes("00000005 00000003 02 00 0102030405")
    let after = Golden.bytes("00000000 00000005 02 00")
    let header = FrameHeader(length: 5, streamID: 3, type: 2, flags: [])
    let expected: [FrameDecoder.Event] = [
      Self.frame(1, .response, [1, 2, 3, 4]),
      .oversizeFrame(header),
      Self.frame(5, .response, []),
    ]
    let bytes = atLimit + above + after
    for cut in 1..<bytes.count {
      #expect(Self.events(of: bytes, cutAt: [cut], maximumPayload: 4) == expected, "cut at \(cut)")
    }
  }

  @Test func `the largest length that starts with a zero byte is discarded in bounded memory`() {
    var decoder = FrameDecoder(maximumPayload: 4_194_304)
    let header = FrameHeader(length: 0x00ff_ffff, streamID: 1, type: 1, flags: [])
    var bytes = ByteBuffer()
    bytes.writeFrameHeader(header)
    decoder.append(bytes)
    let first = decoder.next()
    #expect(first == .oversizeFrame(header))
    let chunk = ByteBuffer(repeating: 7, count: 65_793)
    for _ in 0..<255 {
      #expect(decoder.isInsideFrame)
      decoder.append(chunk)
      let next = decoder.next()
      #expect(next == nil)
    }
    #expect(!decoder.isInsideFrame)
  }

  @Test(arguments: ["GET / HTTP/1.1\r\n", "\u{1}", "PRI * HTTP/2.0"])
  func `bytes that do not begin with zero are foreign`(text: String) {
    var decoder = FrameDecoder(maximumPayload: 4_194_304)
    decoder.append(ByteBuffer(string: text))
    let first = decoder.next()
    #expect(first == .foreignBytes)
    decoder.append(ByteBuffer(bytes: Golden.echoRequest))
    let second = decoder.next()
    #expect(second == nil)
  }

  @Test func `bytes that follow foreign bytes are not kept`() {
    var decoder = FrameDecoder(maximumPayload: 64)
    for _ in 0..<3 {
      decoder.append(ByteBuffer(string: "GET / HTTP/1.1\r\n"))
      while decoder.next() != nil {}
    }
    #expect(decoder.bufferedBytes == 0)
  }
}

import NIOCore
import NIOHPACK

/// The rules for the frames that a server sends on a connection of gRPC.
struct GRPCOutput {
  private struct Stream {
    var hasHeaders = false
    var hasEnded = false
    var isReset = false
    var status: String?
    var messages: [UInt8] = []
  }

  private let limit: Int
  private var streams: [UInt32: Stream] = [:]
  private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
  /// The error code of the last GOAWAY frame.
  private(set) var goAway: UInt32?

  init(received: [UInt8], limit: Int) {
    self.limit = limit
    let (frames, rest) = HTTP2Bytes.frames(of: received)
    expect(rest.isEmpty, "a server sends whole frames")
    expect(
      frames.isEmpty || frames[0].type == HTTP2Bytes.settings, "the first frame has settings")
    for frame in frames { apply(frame) }
    for (id, stream) in streams { check(stream, id) }
  }

  /// Returns whether a stream has its last frame.
  func hasEnded(_ id: UInt32) -> Bool {
    streams[id].map { $0.hasEnded || $0.isReset } ?? false
  }

  private mutating func apply(_ frame: HTTP2Bytes) {
    let id = frame.streamID
    switch frame.type {
    case HTTP2Bytes.headers:
      expectOpen(id)
      expect(frame.flags & HTTP2Bytes.endHeaders != 0, "a header list is one frame")
      headers(frame, id)
    case HTTP2Bytes.data:
      expectOpen(id)
      expect(streams[id]?.hasHeaders == true, "headers precede the data of stream \(id)")
      streams[id]?.messages += frame.payload
    case HTTP2Bytes.reset:
      streams[id, default: Stream()].isReset = true
    case HTTP2Bytes.windowUpdate:
      var fields = Fields(frame.payload)
      expect((1...0x7fff_ffff).contains(fields.word()), "a window grows")
    case HTTP2Bytes.goAway:
      var fields = Fields(frame.payload.dropFirst(4))
      goAway = fields.word()
    case HTTP2Bytes.settings, HTTP2Bytes.ping: break
    default: violated("a server sends no frame of type \(frame.type)")
    }
    if frame.endsStream { streams[id]?.hasEnded = true }
  }

  private func expectOpen(_ id: UInt32) {
    expect(id % 2 == 1, "the client has opened stream \(id)")
    expect(!hasEnded(id), "nothing follows the last frame of stream \(id)")
  }

  private mutating func headers(_ frame: HTTP2Bytes, _ id: UInt32) {
    var block = ByteBuffer(bytes: frame.payload)
    guard let list = try? decoder.decodeHeaders(from: &block) else {
      violated("the headers of stream \(id) can be decoded")
    }
    let isFirst = streams[id] == nil
    streams[id, default: Stream()].hasHeaders = true
    expect(isFirst == list.contains(name: ":status"), "only the first headers have :status")
    if frame.endsStream {
      streams[id]?.status = list.first(name: "grpc-status")
      expect(
        list.contains(name: "grpc-status") || list.first(name: ":status") != "200",
        "the last headers of stream \(id) have a status")
    }
  }

  private func check(_ stream: Stream, _ id: UInt32) {
    guard stream.status == "0" else { return }
    var rest = stream.messages[...]
    while !rest.isEmpty {
      var fields = Fields(rest.prefix(5))
      expect(fields.byte() == 0, "a response of stream \(id) is not compressed")
      let length = Int(fields.word())
      expect(length <= limit, "a response of stream \(id) is within the limit")
      expect(rest.count >= 5 + length, "the last response of stream \(id) is complete")
      rest = rest.dropFirst(5 + length)
    }
  }
}

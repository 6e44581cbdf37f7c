import CNghttp2

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
  private let decoder = HeaderDecoder()
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
    guard let list = decoder.headers(in: frame.payload) else {
      violated("the headers of stream \(id) can be decoded")
    }
    let isFirst = streams[id] == nil
    streams[id, default: Stream()].hasHeaders = true
    expect(isFirst == (list[":status"] != nil), "only the first headers have :status")
    if frame.endsStream {
      streams[id]?.status = list["grpc-status"]
      expect(
        list["grpc-status"] != nil || (list[":status"] ?? "200") != "200",
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

/// A decoder of header lists with the header table of a connection.
private final class HeaderDecoder {
  private let inflater: OpaquePointer

  init() {
    var inflater: OpaquePointer?
    guard unsafe nghttp2_hd_inflate_new(&inflater) == 0, let inflater = unsafe inflater else {
      violated("there is memory for a decoder")
    }
    unsafe self.inflater = inflater
  }

  deinit {
    unsafe nghttp2_hd_inflate_del(inflater)
  }

  /// Decodes a header list; `nil` if it is invalid.
  func headers(in block: ArraySlice<UInt8>) -> [String: String]? {
    var headers: [String: String] = [:]
    let isValid = unsafe block.withUnsafeBufferPointer { block in
      var position = 0
      while true {
        var field = unsafe nghttp2_nv()
        var flags: CInt = 0
        let count = unsafe nghttp2_hd_inflate_hd2(
          inflater, &field, &flags, block.baseAddress.map { unsafe $0 + position },
          block.count - position, 1)
        guard count >= 0 else { return false }
        position += count
        if UInt32(flags) & NGHTTP2_HD_INFLATE_EMIT.rawValue != 0 {
          headers[Self.text(field.name, field.namelen)] = Self.text(field.value, field.valuelen)
        }
        if UInt32(flags) & NGHTTP2_HD_INFLATE_FINAL.rawValue != 0 {
          return unsafe nghttp2_hd_inflate_end_headers(inflater) == 0
        }
      }
    }
    return isValid ? headers : nil
  }

  private static func text(_ start: UnsafeMutablePointer<UInt8>?, _ count: Int) -> String {
    unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }
}

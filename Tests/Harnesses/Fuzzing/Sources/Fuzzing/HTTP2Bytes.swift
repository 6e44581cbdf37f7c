/// An HTTP/2 frame on the wire, with an encoder and a decoder that are independent of libnghttp2.
struct HTTP2Bytes {
  static let data: UInt8 = 0
  static let headers: UInt8 = 1
  static let reset: UInt8 = 3
  static let settings: UInt8 = 4
  static let ping: UInt8 = 6
  static let goAway: UInt8 = 7
  static let windowUpdate: UInt8 = 8

  static let endStream: UInt8 = 1
  static let acknowledgment: UInt8 = 1
  static let endHeaders: UInt8 = 4
  static let padded: UInt8 = 8
  static let priority: UInt8 = 0x20

  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  var type: UInt8
  var flags: UInt8
  var streamID: UInt32
  var payload: ArraySlice<UInt8>

  var endsStream: Bool {
    (type == Self.data || type == Self.headers) && flags & Self.endStream != 0
  }

  /// Splits bytes into frames and a rest, which is less than a frame.
  static func frames(of bytes: [UInt8]) -> (frames: [HTTP2Bytes], rest: ArraySlice<UInt8>) {
    var frames: [HTTP2Bytes] = []
    var rest = bytes[...]
    while rest.count >= 9 {
      let length = rest.prefix(3).reduce(0) { $0 << 8 | Int($1) }
      guard rest.count >= 9 + length else { break }
      var fields = Fields(rest.dropFirst(3).prefix(6))
      frames.append(
        HTTP2Bytes(
          type: fields.byte(), flags: fields.byte(), streamID: fields.word(),
          payload: rest.dropFirst(9).prefix(length)))
      rest = rest.dropFirst(9 + length)
    }
    return (frames, rest)
  }

  /// Encodes a frame.
  static func bytes(
    _ type: UInt8, flags: UInt8 = 0, _ streamID: UInt32, _ payload: [UInt8] = []
  ) -> [UInt8] {
    bigEndian(UInt32(payload.count)).dropFirst() + [type, flags] + bigEndian(streamID) + payload
  }

  static func bigEndian(_ word: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
  }

  /// A message of gRPC with its prefix.
  static func message(_ bytes: [UInt8], flag: UInt8 = 0) -> [UInt8] {
    [flag] + bigEndian(UInt32(bytes.count)) + bytes
  }

  /// The header list of a call, as literals that are not indexed.
  static func call(_ method: String, _ extra: [(String, String)] = []) -> [UInt8] {
    let headers = [
      (":method", "POST"), (":scheme", "http"), (":path", "/p/\(method)"), (":authority", "x"),
      ("content-type", "application/grpc"), ("te", "trailers"),
    ]
    return (headers + extra).flatMap { name, value in
      [0, UInt8(name.utf8.count)] + name.utf8 + [UInt8(value.utf8.count)] + value.utf8
    }
  }
}

/// The nine bytes before each frame of HTTP/2 (RFC 9113, section 4.1): length (24 bits), type,
/// flags and stream id, big-endian.
struct HTTP2FrameHeader: WireFrameHeader, Equatable {
  static let size = 9
  static let streamIDOffset = 5

  enum Kind {
    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let resetStream: UInt8 = 3
    static let settings: UInt8 = 4
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
  }

  enum Flags {
    static let ack: UInt8 = 0x01
    static let endStream: UInt8 = 0x01
    static let endHeaders: UInt8 = 0x04
    static let padded: UInt8 = 0x08
  }

  var length: UInt32
  var kind: UInt8
  var flags: UInt8
  var streamID: UInt32

  /// Returns a frame of a header and a body.
  static func frame(
    kind: UInt8, flags: UInt8 = 0, streamID: UInt32 = 0, body: [UInt8] = []
  ) -> [UInt8] {
    let length = [16, 8, 0].map { UInt8(truncatingIfNeeded: body.count >> $0) }
    return length + [kind, flags] + bigEndian(streamID) + body
  }

  static func windowUpdate(_ increment: Int) -> [UInt8] {
    frame(kind: Kind.windowUpdate, body: bigEndian(UInt32(increment)))
  }

  private static func bigEndian(_ word: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
  }
}

extension HTTP2FrameHeader {
  /// Decodes the nine bytes at an address.
  @inline(__always)
  init(at start: UnsafeRawPointer) {
    let word = unsafe UInt32(bigEndian: start.loadUnaligned(as: UInt32.self))
    length = word >> 8
    kind = UInt8(truncatingIfNeeded: word)
    flags = unsafe start.load(fromByteOffset: 4, as: UInt8.self)
    streamID = unsafe UInt32(
      bigEndian: start.loadUnaligned(fromByteOffset: Self.streamIDOffset, as: UInt32.self))
  }
}

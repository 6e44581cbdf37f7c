/// The ten bytes before each body: length and stream id (big-endian), type, and flags.
struct FrameHeader: Equatable {
  static let size = 10

  enum Kind {
    static let request: UInt8 = 1
    static let response: UInt8 = 2
    static let data: UInt8 = 3
  }

  enum Flags {
    static let remoteClosed: UInt8 = 0x01
    static let remoteOpen: UInt8 = 0x02
    static let noData: UInt8 = 0x04
  }

  var length: UInt32
  var streamID: UInt32
  var kind: UInt8
  var flags: UInt8 = 0

  var bytes: [UInt8] {
    [length, streamID].flatMap { word in
      [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
    } + [kind, flags]
  }

  /// Returns a frame of a header and a body.
  static func frame(streamID: UInt32, kind: UInt8, flags: UInt8 = 0, body: [UInt8]) -> [UInt8] {
    let header = FrameHeader(
      length: UInt32(body.count), streamID: streamID, kind: kind, flags: flags)
    return header.bytes + body
  }
}

extension FrameHeader {
  /// Decodes the ten bytes at an address.
  @inline(__always)
  init(at start: UnsafeRawPointer) {
    length = unsafe UInt32(bigEndian: start.loadUnaligned(as: UInt32.self))
    streamID = unsafe UInt32(bigEndian: start.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    kind = unsafe start.load(fromByteOffset: 8, as: UInt8.self)
    flags = unsafe start.load(fromByteOffset: 9, as: UInt8.self)
  }
}

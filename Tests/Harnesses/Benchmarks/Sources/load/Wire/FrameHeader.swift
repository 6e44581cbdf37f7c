/// The header of a frame of a protocol, of a fixed size.
protocol WireFrameHeader {
  /// The size of the header in bytes.
  static var size: Int { get }

  /// Decodes the `size` bytes at an address.
  init(at start: UnsafeRawPointer)

  /// The length of the frame's body in bytes.
  var length: UInt32 { get }
}

/// The ten bytes before each body in ttrpc: length and stream id (big-endian), type, and flags.
struct FrameHeader: WireFrameHeader, Equatable {
  static let size = 10
  static let streamIDOffset = 4

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

internal import NIOCore

/// What a frame is for. Every other number is ignored by both sides.
enum FrameType: UInt8, Sendable {
  case request = 1
  case response = 2
  case data = 3
  /// Ours alone: the caller no longer wants an answer. Peers that do not know it ignore it.
  case cancel = 4
}

/// A frame's flags.
struct FrameFlags: OptionSet, Sendable, Hashable {
  var rawValue: UInt8

  /// The sender sends nothing more on this stream.
  static let remoteClosed = FrameFlags(rawValue: 0x01)
  /// The sender goes on sending on this stream.
  static let remoteOpen = FrameFlags(rawValue: 0x02)
  /// The frame carries no message, not even an empty one.
  static let noData = FrameFlags(rawValue: 0x04)
}

/// The ten bytes before each frame's payload, integers big endian.
struct FrameHeader: Sendable, Hashable {
  static let byteCount = 10

  /// Bytes that follow the header.
  var length: UInt32
  /// Odd where a client opened the stream.
  var streamID: UInt32
  /// As it stands on the wire; ``FrameType`` names the ones that mean something.
  var type: UInt8
  var flags: FrameFlags

  /// Says that its sender sends nothing more on a stream: an empty data frame.
  static func endOfStream(_ streamID: UInt32) -> FrameHeader {
    FrameHeader(
      length: 0, streamID: streamID, type: FrameType.data.rawValue,
      flags: [.remoteClosed, .noData])
  }
}

/// One frame: a header without its length, and the payload that has it.
struct Frame: Sendable, Hashable {
  var streamID: UInt32
  var type: UInt8
  var flags: FrameFlags
  var payload: ByteBuffer

  init(streamID: UInt32, type: FrameType, flags: FrameFlags = [], payload: ByteBuffer = .init()) {
    self.init(streamID: streamID, rawType: type.rawValue, flags: flags, payload: payload)
  }

  init(streamID: UInt32, rawType: UInt8, flags: FrameFlags, payload: ByteBuffer) {
    self.streamID = streamID
    self.type = rawType
    self.flags = flags
    self.payload = payload
  }

  var header: FrameHeader {
    FrameHeader(
      length: UInt32(payload.readableBytes), streamID: streamID, type: type, flags: flags)
  }
}

extension ByteBuffer {
  /// Reads a header, or nothing where fewer than its ten bytes are there.
  mutating func readFrameHeader() -> FrameHeader? {
    guard
      let (length, streamID, type, flags) = readMultipleIntegers(
        as: (UInt32, UInt32, UInt8, UInt8).self)
    else { return nil }
    return FrameHeader(
      length: length, streamID: streamID, type: type, flags: FrameFlags(rawValue: flags))
  }

  mutating func writeFrameHeader(_ header: FrameHeader) {
    writeMultipleIntegers(header.length, header.streamID, header.type, header.flags.rawValue)
  }
}

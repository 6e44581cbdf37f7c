internal import NIOCore

/// The type of a frame; both sides ignore frames of other types.
enum FrameType: UInt8, Sendable {
  case request = 1
  case response = 2
  case data = 3
  /// Cancels a call: an extension of this library, which peers that do not know it ignore.
  case cancel = 4
}

/// A frame's flags.
struct FrameFlags: OptionSet, Sendable, Hashable {
  var rawValue: UInt8

  /// The sender sends no more frames on this stream.
  static let remoteClosed = FrameFlags(rawValue: 0x01)
  /// The sender will send more frames on this stream.
  static let remoteOpen = FrameFlags(rawValue: 0x02)
  /// The frame contains no message, not even an empty one.
  static let noData = FrameFlags(rawValue: 0x04)
}

/// The ten bytes before each frame's payload; integers are big endian.
struct FrameHeader: Sendable, Hashable {
  static let byteCount = 10

  /// The size of the payload, in bytes.
  var length: UInt32
  /// The id of the stream; ids of streams that a client opened are odd.
  var streamID: UInt32
  /// The raw value of the type; ``FrameType`` lists the known ones.
  var type: UInt8
  var flags: FrameFlags

  /// Returns the header of an empty data frame that ends the sender's part of a stream.
  static func endOfStream(_ streamID: UInt32) -> FrameHeader {
    FrameHeader(
      length: 0, streamID: streamID, type: FrameType.data.rawValue,
      flags: [.remoteClosed, .noData])
  }
}

/// A frame, whose header is derived from its properties.
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
  /// Reads a header, or returns nil if fewer than ten bytes are readable.
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

internal import NIOCore
internal import ProtobufC

extension ByteBuffer {
  /// Parses all readable bytes as one message, and leaves the reader index where it is.
  func message<Message: ProtobufMessage>(
    _ type: Message.Type
  ) throws(ProtobufError) -> Message {
    try unsafe withUnsafeReadableBytes { bytes in
      Result { () throws(ProtobufError) in try unsafe Message(serialized: bytes) }
    }.get()
  }

  /// Writes a frame with a message as its payload.
  ///
  /// - Returns: True if the message is within the limit; otherwise nothing is written.
  mutating func writeFrame(
    streamID: UInt32, type: FrameType, flags: FrameFlags = [], message: some ProtobufMessage,
    limit: Int
  ) -> Bool {
    message.withSerializer { serializer in
      let size = serializer.byteCount
      guard size <= limit else { return false }
      reserveCapacity(minimumWritableBytes: FrameHeader.byteCount + size)
      writeFrameHeader(
        FrameHeader(
          length: UInt32(size), streamID: streamID, type: type.rawValue, flags: flags))
      unsafe writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
        unsafe serializer.pack(into: bytes)
        return size
      }
      return true
    }
  }

  /// Writes the frame of a successful response whose payload is a message.
  ///
  /// - Returns: True if the response is within the limit; otherwise nothing is written.
  mutating func writeResponse(
    streamID: UInt32, _ serializer: borrowing Serializer, limit: Int
  ) -> Bool {
    let count = serializer.byteCount
    return unsafe writeResponse(streamID: streamID, payloadCount: count, limit: limit) { bytes in
      unsafe serializer.pack(into: bytes)
    }
  }

  /// Writes the frame of a successful response whose payload is already serialized.
  ///
  /// - Returns: True if the response is within the limit; otherwise nothing is written.
  mutating func writeResponse(streamID: UInt32, payload: [UInt8], limit: Int) -> Bool {
    unsafe writeResponse(streamID: streamID, payloadCount: payload.count, limit: limit) { bytes in
      unsafe payload.withUnsafeBytes { unsafe bytes.copyMemory(from: $0) }
    }
  }

  private mutating func writeResponse(
    streamID: UInt32, payloadCount: Int, limit: Int, _ pack: (UnsafeMutableRawBufferPointer) -> Void
  ) -> Bool {
    let length = WireResponse.byteCount(ofPayload: payloadCount)
    guard length <= limit else { return false }
    let size = FrameHeader.byteCount + length
    unsafe writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
      unsafe bytes.storeBytes(of: UInt32(length).bigEndian, as: UInt32.self)
      unsafe bytes.storeBytes(of: streamID.bigEndian, toByteOffset: 4, as: UInt32.self)
      unsafe bytes[8] = FrameType.response.rawValue
      unsafe bytes[9] = 0
      guard payloadCount > 0 else { return size }
      unsafe bytes[10] = WireResponse.payloadTag
      var position = 11
      var rest = payloadCount
      while rest >= 0x80 {
        unsafe bytes[position] = UInt8(truncatingIfNeeded: rest) | 0x80
        rest >>= 7
        position += 1
      }
      unsafe bytes[position] = UInt8(rest)
      unsafe pack(UnsafeMutableRawBufferPointer(rebasing: bytes[(position + 1)..<size]))
      return size
    }
    return true
  }
}

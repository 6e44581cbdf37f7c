internal import NIOCore
internal import ProtobufC

extension ByteBuffer {
  /// Reads all that is left as one message.
  func message<Message: ProtobufMessage>(
    _ type: Message.Type
  ) throws(ProtobufError) -> Message {
    try unsafe withUnsafeReadableBytes { bytes in
      Result { () throws(ProtobufError) in try unsafe Message(serialized: bytes) }
    }.get()
  }

  /// Writes a whole frame: its header, and the message as its payload.
  ///
  /// - Returns: Whether the message is within the limit; where it is not, nothing is written.
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
}

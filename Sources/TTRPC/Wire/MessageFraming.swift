internal import NIOCore

/// The prefix that a wire format puts before each message of a stream.
struct MessageFraming: Sendable {
  /// The number of bytes before each message.
  let prefixLength: Int
  /// Writes the prefix of a message.
  let writePrefix: @Sendable (_ buffer: inout ByteBuffer, _ length: Int, _ streamID: UInt32) -> Void

  /// A data frame of ttrpc.
  static let ttrpc = MessageFraming(prefixLength: FrameHeader.byteCount) {
    buffer, length, streamID in
    buffer.writeFrameHeader(
      FrameHeader(
        length: UInt32(length), streamID: streamID, type: FrameType.data.rawValue, flags: []))
  }

  /// The prefix of gRPC: a flag for compression, and the length.
  static let grpc = MessageFraming(prefixLength: GRPCMessageReader.prefixLength) {
    buffer, length, _ in
    buffer.writeInteger(UInt8(0))
    buffer.writeInteger(UInt32(length))
  }
}

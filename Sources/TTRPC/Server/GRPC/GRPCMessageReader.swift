internal import NIOCore

/// Cuts the data of an HTTP/2 stream into messages, each of which has a prefix of five bytes.
struct GRPCMessageReader {
  static let prefixLength = 5

  private let limit: Int
  private var buffer = ByteBuffer()

  /// - Parameter limit: The size of the longest message, in bytes.
  init(limit: Int) {
    self.limit = limit
  }

  /// A Boolean value that indicates whether a part of a message has arrived.
  var isInsideMessage: Bool { buffer.readableBytes > 0 }

  /// The bytes of messages that were not returned yet.
  var bufferedBytes: Int { buffer.readableBytes }

  mutating func append(_ bytes: ByteBuffer) {
    var bytes = bytes
    buffer.writeBuffer(&bytes)
  }

  /// Returns the next message, or `nil` if it has not arrived completely.
  ///
  /// - Throws: RESOURCE_EXHAUSTED for a message above the limit, UNIMPLEMENTED for a compressed
  ///   message.
  mutating func next() throws(RPCError) -> [UInt8]? {
    guard let flag: UInt8 = buffer.getInteger(at: buffer.readerIndex),
      let length: UInt32 = buffer.getInteger(at: buffer.readerIndex + 1)
    else { return nil }
    guard flag == 0 else {
      throw RPCError(
        code: flag == 1 ? .unimplemented : .internalError,
        message: flag == 1
          ? "compressed messages are not supported" : "invalid flags \(flag) of a message")
    }
    guard length <= limit else {
      throw RPCError(
        code: .resourceExhausted,
        message: "message of \(length) bytes exceeds the limit of \(limit) bytes")
    }
    guard buffer.readableBytes >= Self.prefixLength + Int(length) else { return nil }
    buffer.moveReaderIndex(forwardBy: Self.prefixLength)
    let message = buffer.readBytes(length: Int(length)) ?? []
    if buffer.readableBytes == 0 { buffer.clear() } else { buffer.discardReadBytes() }
    return message
  }
}

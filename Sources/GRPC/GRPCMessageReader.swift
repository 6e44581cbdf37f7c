internal import NIOCore
internal import TTRPC

/// Cuts the data of an HTTP/2 stream into messages, each of which has a prefix of five bytes.
///
/// The prefix says whether the message is compressed, and how long it is. See
/// <https://github.com/grpc/grpc/blob/master/doc/compression.md>.
struct GRPCMessageReader {
  /// An encoding of messages, named in the header `grpc-encoding`.
  enum Encoding: String {
    case identity, gzip
  }

  /// A message that has arrived completely.
  struct Message: Equatable {
    var bytes: [UInt8]
    /// The number of bytes that it took in the stream, with the prefix.
    var frameLength: Int
    var isCompressed = false
  }

  static let prefixLength = 5
  /// The cost of a gzip member of any length, as a number of decoded bytes.
  static let bytesPerMember = 256

  private let limit: Int
  private let encoding: Encoding
  private var buffer = ByteBuffer()
  private var decoder: GzipDecoder?
  /// A Boolean value that indicates whether a compressed message has arrived that is not decoded
  /// yet.
  private(set) var isDecoding = false

  /// - Parameters:
  ///   - limit: The size of the longest message, in bytes, before and after decompression.
  ///   - encoding: The encoding of the messages that are flagged as compressed.
  init(limit: Int, encoding: Encoding = .identity) {
    self.limit = limit
    self.encoding = encoding
  }

  /// A Boolean value that indicates whether bytes have arrived that were not returned yet.
  var isInsideMessage: Bool { buffer.readableBytes > 0 }

  /// The number of bytes of messages that were not returned yet.
  var bufferedBytes: Int { buffer.readableBytes + (decoder?.content.count ?? 0) }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    if buffer.readerIndex > buffer.readableBytes { buffer.discardReadBytes() }
    unsafe buffer.writeBytes(bytes)
  }

  /// Returns the message in the data of a whole stream, if it is one message without compression
  /// and within a limit.
  static func onlyMessage(
    in data: UnsafeRawBufferPointer, limit: Int
  ) -> UnsafeRawBufferPointer? {
    guard data.count >= prefixLength, unsafe data[0] == 0 else { return nil }
    let length = unsafe UInt32(
      bigEndian: data.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
    guard length <= limit, prefixLength + Int(length) == data.count else { return nil }
    return unsafe UnsafeRawBufferPointer(rebasing: data[prefixLength...])
  }

  /// Returns the next message, or `nil` if it has not arrived completely or ``isDecoding``.
  ///
  /// - Parameter decodableBytes: The number of bytes that may be decoded now, from which those that
  ///   were decoded are subtracted, and ``bytesPerMember`` for each message; the result may be
  ///   negative.
  /// - Throws: RESOURCE_EXHAUSTED for a message above the limit, INTERNAL for a malformed one.
  mutating func next(decodableBytes: inout Int) throws(RPCError) -> Message? {
    guard let flag: UInt8 = buffer.getInteger(at: buffer.readerIndex),
      let length: UInt32 = buffer.getInteger(at: buffer.readerIndex + 1)
    else { return nil }
    guard flag <= 1 else {
      throw RPCError(code: .internalError, message: "invalid flags \(flag) of a message")
    }
    guard flag == 0 || encoding != .identity else {
      throw RPCError(
        code: .internalError, message: "compressed message in a call without grpc-encoding")
    }
    guard length <= limit else {
      throw RPCError(
        code: .resourceExhausted,
        message: "message of \(length) bytes exceeds the limit of \(limit) bytes")
    }
    let frameLength = Self.prefixLength + Int(length)
    let start = buffer.readerIndex + Self.prefixLength
    let bytes: [UInt8]
    if flag == 0 {
      // Without a slice, the buffer keeps its storage when it is cleared.
      guard let message = buffer.getBytes(at: start, length: Int(length)) else { return nil }
      bytes = message
    } else {
      guard let message = buffer.getSlice(at: start, length: Int(length)) else { return nil }
      guard let content = try decoded(message, &decodableBytes) else { return nil }
      bytes = content
    }
    buffer.moveReaderIndex(forwardBy: frameLength)
    if buffer.readableBytes == 0 { buffer.clear() }
    return Message(bytes: bytes, frameLength: frameLength, isCompressed: flag == 1)
  }

  /// Decodes more of a compressed message, and returns it once it is complete.
  private mutating func decoded(
    _ member: ByteBuffer, _ decodableBytes: inout Int
  ) throws(RPCError) -> [UInt8]? {
    isDecoding = true
    guard decodableBytes > 0 else { return nil }
    let decoder = decoder ?? GzipDecoder(member, limit: limit)
    self.decoder = decoder
    let (decodedBefore, readBefore) = (decoder.content.count, decoder.readCount)
    do throws(GzipDecoder.Failure) {
      let isComplete = try decoder.decode(decodableBytes)
      decodableBytes -= max(decoder.content.count - decodedBefore, decoder.readCount - readBefore)
      guard isComplete else { return nil }
      decodableBytes -= Self.bytesPerMember
      isDecoding = false
      self.decoder = nil
      return decoder.content
    } catch {
      switch error {
      case .malformed:
        throw RPCError(code: .internalError, message: "compressed message is not valid gzip")
      case .tooLong:
        throw RPCError(
          code: .resourceExhausted,
          message: "decompressed message exceeds the limit of \(limit) bytes")
      }
    }
  }
}

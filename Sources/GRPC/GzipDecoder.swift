internal import CZlib
internal import NIOCore

/// A decoder of one gzip member (RFC 1952), by zlib.
///
/// It decodes in parts, since a member of 4 KiB may have a content of 4 MiB, which takes
/// milliseconds.
@safe final class GzipDecoder {
  /// A reason why bytes are not decoded.
  enum Failure: Error, Equatable {
    /// The bytes are not exactly one complete gzip member.
    case malformed
    /// The content is longer than the limit.
    case tooLong
  }

  private let member: ByteBuffer
  private let limit: Int
  /// The maximum number of bytes that are decoded: one more than expected, which shows that the
  /// content is longer.
  private let capacity: Int
  // zlib keeps the address of the structure, which must not change before the end.
  private let stream: UnsafeMutablePointer<z_stream>
  /// The number of bytes of the member that are decoded.
  private(set) var readCount = 0
  /// The content as far as it is decoded.
  private(set) var content: [UInt8] = []

  /// - Parameters:
  ///   - member: The bytes of the member.
  ///   - limit: The maximum length of the content, in bytes.
  init(_ member: ByteBuffer, limit: Int) {
    self.member = member
    self.limit = limit
    capacity = min(Self.statedLength(of: member), limit) + 1
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // The greatest window, and only gzip's format.
    let windowBits = 15 + 16
    let status = unsafe inflateInit2_(
      stream, CInt(windowBits), ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "out of memory")
  }

  deinit {
    unsafe _ = inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Reads the length of the content, modulo 2^32, from the last four bytes of a member.
  ///
  /// The result is at most the greatest length that a member of this size can have: the ratio of
  /// deflate is at most 1032.
  private static func statedLength(of member: ByteBuffer) -> Int {
    let stated: UInt32? = member.getInteger(at: member.writerIndex - 4, endianness: .little)
    return min(Int(stated ?? 0), 1032 * member.readableBytes)
  }

  /// Decodes the next part of the content.
  ///
  /// - Parameter count: The maximum length of the part and of its encoding, in bytes, at least 1.
  /// - Returns: True if the content is complete.
  func decode(_ count: Int) throws(Failure) -> Bool {
    var status = Z_OK
    let partLength = min(count, capacity - content.count)
    let part = unsafe [UInt8](unsafeUninitializedCapacity: partLength) { output, written in
      unsafe member.withUnsafeReadableBytes { input in
        // A member may have any number of blocks without content.
        let end = readCount + min(count, input.count - readCount)
        unsafe stream.pointee.next_in = UnsafeMutablePointer(
          mutating: input.bindMemory(to: UInt8.self).baseAddress.map { unsafe $0 + readCount })
        unsafe stream.pointee.avail_in = CUnsignedInt(end - readCount)
        unsafe stream.pointee.next_out = output.baseAddress
        unsafe stream.pointee.avail_out = CUnsignedInt(output.count)
        status = unsafe inflate(stream, Z_NO_FLUSH)
        readCount = unsafe end - Int(stream.pointee.avail_in)
        written = unsafe output.count - Int(stream.pointee.avail_out)
      }
    }
    if content.isEmpty {
      content = part
    } else {
      content.reserveCapacity(capacity)
      content += part
    }
    if content.count > limit { throw .tooLong }
    switch status {
    case Z_STREAM_END where readCount == member.readableBytes: return true
    // If neither limit of the part was reached, the member ends too early.
    case Z_OK
    where content.count < capacity
      && (part.count == partLength || readCount < member.readableBytes):
      return false
    default: throw .malformed
    }
  }
}

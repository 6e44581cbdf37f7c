internal import CZlib
internal import NIOCore
internal import TTRPC

/// The decoder of gzip's format (RFC 1952), by zlib.
enum Gzip {
  /// A reason why bytes are not decoded.
  enum Failure: Error, Equatable {
    /// The bytes are not exactly one complete gzip member.
    case malformed
    /// The content is longer than the limit.
    case tooLong
  }

  /// Returns the content of a gzip member.
  ///
  /// It takes one allocation, of at most `limit` + 1 bytes, whatever the content's size is.
  static func inflated(_ member: ByteBuffer, limit: Int) throws(Failure) -> [UInt8] {
    // One byte more than expected shows that the content is longer.
    let capacity = min(statedLength(of: member), limit) + 1
    var isComplete = false
    let content = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
      unsafe member.withUnsafeReadableBytes { input in
        (isComplete, count) = unsafe inflate(input, into: output)
      }
    }
    if content.count > limit { throw .tooLong }
    guard isComplete, content.count < capacity else { throw .malformed }
    return content
  }

  /// Reads the length of the content, modulo 2^32, from the last four bytes of a member.
  ///
  /// The result is at most the greatest length that a member of this size can have: the ratio of
  /// deflate is at most 1032.
  private static func statedLength(of member: ByteBuffer) -> Int {
    let stated: UInt32? = member.getInteger(at: member.writerIndex - 4, endianness: .little)
    return min(Int(stated ?? 0), 1032 * member.readableBytes)
  }

  /// Inflates one member, and returns whether the input ended with it, and the length of its
  /// content as far as it fits.
  private static func inflate(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<UInt8>
  ) -> (isComplete: Bool, count: Int) {
    var stream = unsafe z_stream()
    // zlib keeps the address of the structure, which must not change before the end.
    return unsafe withUnsafeMutablePointer(to: &stream) { stream in
      // The greatest window, and only gzip's format.
      let windowBits = 15 + 16
      guard
        unsafe inflateInit2_(
          stream, CInt(windowBits), ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK
      else { return (false, 0) }
      defer { unsafe _ = inflateEnd(stream) }
      unsafe stream.pointee.next_in = UnsafeMutablePointer(
        mutating: input.bindMemory(to: UInt8.self).baseAddress)
      unsafe stream.pointee.avail_in = CUnsignedInt(input.count)
      unsafe stream.pointee.next_out = output.baseAddress
      unsafe stream.pointee.avail_out = CUnsignedInt(output.count)
      let status = unsafe CZlib.inflate(stream, Z_FINISH)
      return unsafe (
        status == Z_STREAM_END && stream.pointee.avail_in == 0,
        output.count - Int(stream.pointee.avail_out)
      )
    }
  }
}

import CZlib

/// Compresses bytes to one gzip member.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
  var input = bytes
  var stream = unsafe z_stream()
  return unsafe withUnsafeMutablePointer(to: &stream) { stream in
    let status = unsafe deflateInit2_(
      stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      CInt(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK)
    defer { unsafe _ = deflateEnd(stream) }
    let capacity = unsafe Int(deflateBound(stream, CUnsignedLong(input.count)))
    return unsafe input.withUnsafeMutableBufferPointer { input in
      unsafe [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
        unsafe stream.pointee.next_in = input.baseAddress
        unsafe stream.pointee.avail_in = CUnsignedInt(input.count)
        unsafe stream.pointee.next_out = output.baseAddress
        unsafe stream.pointee.avail_out = CUnsignedInt(output.count)
        let status = unsafe deflate(stream, Z_FINISH)
        precondition(status == Z_STREAM_END)
        count = unsafe output.count - Int(stream.pointee.avail_out)
      }
    }
  }
}

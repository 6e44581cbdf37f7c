internal import Glibc

/// Takes what a socket has, and hands it out frame by frame where it lies.
@safe
struct ReceiveBuffer: ~Copyable {
  /// How many bytes are asked for at a time, and how long a frame can be.
  static let readSize = 256 << 10

  /// A frame; its body is good until the next read.
  @safe
  struct Frame {
    let header: FrameHeader
    let body: UnsafeRawBufferPointer
  }

  // Room for a read behind a frame of which the last byte is missing. What is never written to never
  // becomes memory.
  private let bytes = UnsafeMutableRawPointer.allocate(byteCount: 2 * readSize, alignment: 64)
  private var start = 0
  private var end = 0

  deinit {
    unsafe bytes.deallocate()
  }

  /// One read. False where nothing was there. Throws where the server has closed.
  @inline(__always)
  mutating func fill(from socket: UnixSocket) throws(LoadError) -> Bool {
    if start > 0 {
      if start < end { unsafe memmove(bytes, bytes + start, end &- start) }
      end &-= start
      start = 0
    }
    guard let count = try unsafe socket.read(into: bytes + end, atMost: Self.readSize) else {
      return false
    }
    guard count > 0 else { throw LoadError("the server closed a connection") }
    end &+= count
    return true
  }

  /// The next frame; nil where it is not all there yet.
  @inline(__always)
  mutating func next() throws(LoadError) -> Frame? {
    let available = end &- start
    guard available >= FrameHeader.size else { return nil }
    let header = unsafe FrameHeader(at: bytes + start)
    let length = Int(header.length)
    guard length <= Self.readSize - FrameHeader.size else {
      throw LoadError("the server sent a frame of \(length) bytes")
    }
    guard available >= FrameHeader.size &+ length else { return nil }
    let body = unsafe UnsafeRawBufferPointer(
      start: bytes + start + FrameHeader.size, count: length)
    start &+= FrameHeader.size &+ length
    return unsafe Frame(header: header, body: body)
  }
}

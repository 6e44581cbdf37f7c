internal import Glibc

/// A buffer of received bytes that returns frames without copying them.
@safe
struct ReceiveBuffer: ~Copyable {
  /// The maximum size of a read and of a frame, in bytes.
  static let readSize = 256 << 10

  /// A frame, whose body is valid until the next read.
  @safe
  struct Frame<Header: WireFrameHeader> {
    let header: Header
    let body: UnsafeRawBufferPointer
  }

  // Holds an incomplete frame and a full read after it. Pages that are never written to take no
  // memory.
  private let bytes = UnsafeMutableRawPointer.allocate(byteCount: 2 * readSize, alignment: 64)
  private var start = 0
  private var end = 0

  deinit {
    unsafe bytes.deallocate()
  }

  /// Reads once from a socket; false if no bytes were available.
  ///
  /// - Throws: `LoadError` if the server has closed the connection.
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

  /// Returns the next frame; `nil` if it is not complete yet.
  @inline(__always)
  mutating func next<Header: WireFrameHeader>(
    _: Header.Type = FrameHeader.self
  ) throws(LoadError) -> Frame<Header>? {
    let available = end &- start
    guard available >= Header.size else { return nil }
    let header = unsafe Header(at: bytes + start)
    let length = Int(header.length)
    guard length <= Self.readSize - Header.size else {
      throw LoadError("the server sent a frame of \(length) bytes")
    }
    guard available >= Header.size &+ length else { return nil }
    let body = unsafe UnsafeRawBufferPointer(start: bytes + start + Header.size, count: length)
    start &+= Header.size &+ length
    return unsafe Frame(header: header, body: body)
  }
}

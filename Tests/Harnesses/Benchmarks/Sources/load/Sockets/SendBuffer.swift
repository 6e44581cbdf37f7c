internal import Glibc

/// A buffer of frames that are written together.
@safe
struct SendBuffer: ~Copyable {
  private let bytes: UnsafeMutableRawPointer
  private let capacity: Int
  private var start = 0
  private var end = 0

  /// Creates a buffer for at most `capacity` unsent bytes.
  init(capacity: Int) {
    // Twice the capacity, so that unsent bytes are rarely moved.
    self.capacity = 2 * capacity
    unsafe bytes = .allocate(byteCount: 2 * capacity, alignment: 64)
  }

  deinit {
    unsafe bytes.deallocate()
  }

  /// The number of unsent bytes.
  var count: Int { end &- start }

  /// Appends `count` bytes, all of which the caller must write to the returned address.
  @inline(__always)
  mutating func append(_ count: Int) -> UnsafeMutableRawPointer {
    if end &+ count > capacity {
      unsafe memmove(bytes, bytes + start, end &- start)
      end &-= start
      start = 0
      precondition(end + count <= capacity, "more unsent bytes than the capacity")
    }
    let place = unsafe bytes + end
    end &+= count
    return unsafe place
  }

  mutating func append(contentsOf source: [UInt8]) {
    let place = unsafe append(source.count)
    unsafe source.withUnsafeBytes { unsafe place.copyMemory(from: $0) }
  }

  /// Writes once, and returns whether all bytes were written.
  @inline(__always)
  mutating func flush(to socket: UnixSocket) throws(LoadError) -> Bool {
    guard start < end else { return true }
    guard let count = try unsafe socket.write(bytes + start, end &- start) else { return false }
    start &+= count
    guard start == end else { return false }
    start = 0
    end = 0
    return true
  }
}

extension UnsafeMutableRawPointer {
  fileprivate func copyMemory(from source: UnsafeRawBufferPointer) {
    if let base = source.baseAddress {
      unsafe copyMemory(from: base, byteCount: source.count)
    }
  }
}

internal import Glibc

/// Gathers frames, to be written all at once.
@safe
struct SendBuffer: ~Copyable {
  private let bytes: UnsafeMutableRawPointer
  private let capacity: Int
  private var start = 0
  private var end = 0

  /// `capacity` is how many bytes may ever wait.
  init(capacity: Int) {
    // Twice as many, so that what waits is rarely moved.
    self.capacity = 2 * capacity
    unsafe bytes = .allocate(byteCount: 2 * capacity, alignment: 64)
  }

  deinit {
    unsafe bytes.deallocate()
  }

  /// How many bytes wait.
  var count: Int { end &- start }

  /// Room for so many bytes behind those that wait, all of which the caller writes.
  @inline(__always)
  mutating func append(_ count: Int) -> UnsafeMutableRawPointer {
    if end &+ count > capacity {
      unsafe memmove(bytes, bytes + start, end &- start)
      end &-= start
      start = 0
      precondition(end + count <= capacity, "more waits than was said")
    }
    let place = unsafe bytes + end
    end &+= count
    return unsafe place
  }

  mutating func append(contentsOf source: [UInt8]) {
    let place = unsafe append(source.count)
    unsafe source.withUnsafeBytes { unsafe place.copyMemory(from: $0) }
  }

  /// One write. Returns whether all of it is gone.
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

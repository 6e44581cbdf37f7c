internal import Glibc

/// A connection to the server's socket that never blocks. Closed when the program ends.
struct UnixSocket {
  /// Does not block.
  let descriptor: Int32
}

extension UnixSocket {
  /// Connects. A server that is slow to accept is asked again until the deadline (of `Clock.now`).
  init(path: String, deadline: UInt64) throws(LoadError) {
    let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    let descriptor = socket(AF_UNIX, Int32(kind), 0)
    guard descriptor >= 0 else { throw .system("socket") }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let text = Array(path.utf8)
    guard text.count < MemoryLayout.size(ofValue: address.sun_path) else {
      throw LoadError("the socket's path is too long: \(path)")
    }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: text) }

    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    while unsafe withUnsafePointer(
      to: &address,
      { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe connect(descriptor, $0, size)
        }
      }) != 0
    {
      // The queue of those who wait to be accepted is full.
      guard errno == EAGAIN || errno == EINTR, Clock.now() < deadline else {
        throw .system("connect to \(path)")
      }
      usleep(1000)
    }
    self.init(descriptor: descriptor)
  }

}

extension UnixSocket {
  /// Reads what is there. Nil: nothing yet; 0: the peer has closed.
  @inline(__always)
  func read(into buffer: UnsafeMutableRawPointer, atMost capacity: Int) throws(LoadError) -> Int? {
    let count = unsafe Glibc.read(descriptor, buffer, capacity)
    return count >= 0 ? count : try failed("read")
  }

  /// Writes what the socket takes. Nil: nothing yet.
  @inline(__always)
  func write(_ bytes: UnsafeRawPointer, _ count: Int) throws(LoadError) -> Int? {
    let count = unsafe Glibc.write(descriptor, bytes, count)
    return count >= 0 ? count : try failed("write")
  }

  private func failed(_ call: String) throws(LoadError) -> Int? {
    guard errno == EAGAIN || errno == EINTR else { throw .system(call) }
    return nil
  }
}

extension LoadError {
  /// What the call just before has left in `errno`.
  static func system(_ call: String) -> LoadError {
    let reason = unsafe String(cString: strerror(errno))
    return LoadError("\(call): \(reason)")
  }
}

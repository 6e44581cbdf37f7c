internal import Glibc

/// A non-blocking connection to the server's socket, open until the program ends.
struct UnixSocket {
  let descriptor: Int32
}

extension UnixSocket {
  /// Connects to a server, and retries until the deadline (on the clock `Clock.now`) while its
  /// backlog is full.
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
      // EAGAIN: the backlog is full.
      guard errno == EAGAIN || errno == EINTR, Clock.now() < deadline else {
        throw .system("connect to \(path)")
      }
      usleep(1000)
    }
    self.init(descriptor: descriptor)
  }

}

extension UnixSocket {
  /// Reads available bytes; `nil` if there are none yet, 0 if the peer has closed the connection.
  @inline(__always)
  func read(into buffer: UnsafeMutableRawPointer, atMost capacity: Int) throws(LoadError) -> Int? {
    let count = unsafe Glibc.read(descriptor, buffer, capacity)
    return count >= 0 ? count : try failed("read")
  }

  /// Writes the bytes that the socket takes; `nil` if it takes none now.
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
  /// Returns the error of the system call that was made last, by `errno`.
  static func system(_ call: String) -> LoadError {
    let reason = unsafe String(cString: strerror(errno))
    return LoadError("\(call): \(reason)")
  }
}

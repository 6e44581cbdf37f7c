internal import Glibc

/// A connected, non-blocking Unix socket.
final class Socket {
  private let descriptor: Int32

  /// Connects to a path; `nil` if the connection is refused or would block.
  init?(path: String) {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { bytes in
      unsafe bytes.copyBytes(from: path.utf8.prefix(107))
    }
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
        unsafe connect(descriptor, rebound, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    if result != 0 { return nil }
  }

  deinit {
    close(descriptor)
  }

  enum Sending { case sent(Int), full, closed }

  /// Sends as many of the bytes as the socket takes.
  func send(_ bytes: some Collection<UInt8>) -> Sending {
    let bytes = Array(bytes)
    let count = unsafe Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    if count >= 0 { return .sent(count) }
    return errno == EAGAIN ? .full : .closed
  }

  /// Returns the bytes that have arrived; `nil` if the peer has closed the connection.
  func receive() -> [UInt8]? {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
    if count > 0 { return Array(chunk.prefix(count)) }
    return count < 0 && errno == EAGAIN ? [] : nil
  }

  /// True if the peer has closed the connection.
  ///
  /// No bytes are taken from the socket.
  var isClosed: Bool {
    var byte: UInt8 = 0
    let count = unsafe recv(descriptor, &byte, 1, Int32(MSG_PEEK))
    return count == 0 || (count < 0 && errno != EAGAIN)
  }

  /// True if the peer has closed the connection, also if bytes are left to read.
  var hasHungUp: Bool {
    var entry = pollfd(fd: descriptor, events: 0, revents: 0)
    return unsafe poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLHUP) != 0
  }
}

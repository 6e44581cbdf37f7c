internal import Glibc

/// Functions for Unix sockets that are addressed by a path in the file system.
enum UnixAddress {
  /// The longest path in bytes: an address holds 108, of which the last must be zero.
  static let maximumPathLength = 107

  /// Calls a closure, usually a system call, with the socket address for a path.
  ///
  /// - Parameter path: At most ``maximumPathLength`` bytes.
  static func with(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { bytes in
      // The address was initialized with zeros, so the path is zero-terminated.
      unsafe bytes.copyBytes(from: path.utf8.prefix(maximumPathLength))
    }
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
        unsafe body(rebound, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  /// Connects to a server's socket.
  ///
  /// The call does not block: a Unix socket connects immediately or not at all. If the server's
  /// queue of pending connections is full, connecting fails with EAGAIN.
  ///
  /// - Returns: The descriptor of the connected, non-blocking socket.
  /// - Throws: UNAVAILABLE with the system's reason; INVALID_ARGUMENT if no socket can have the
  ///   path.
  static func connect(_ path: String) throws(RPCError) -> Int32 {
    func failure(_ code: StatusCode, _ reason: String) -> RPCError {
      RPCError(
        code: code, message: "cannot connect to \(path): \(reason)", details: [.noEffect])
    }

    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw failure(.invalidArgument, "a socket needs a path in the file system")
    }
    guard path.utf8.count <= maximumPathLength else {
      throw failure(
        .invalidArgument,
        "the path has \(path.utf8.count) bytes; the limit is \(maximumPathLength)")
    }
    let type =
      Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
      | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_UNIX, type, 0)
    guard descriptor >= 0 else { throw failure(.unavailable, systemErrorText()) }
    var result: Int32
    repeat {
      result = unsafe with(path) { unsafe Glibc.connect(descriptor, $0, $1) }
    } while result != 0 && lastSystemError == EINTR
    guard result == 0 else {
      let reason = systemErrorText()
      Glibc.close(descriptor)
      throw failure(.unavailable, reason)
    }
    return descriptor
  }
}

internal import Glibc

/// The addresses of Unix sockets in the file system.
enum UnixAddress {
  /// The longest path that an address holds, in bytes: 108, and one for the zero at its end.
  static let maximumPathLength = 107

  /// Runs a system call with the address of a path.
  ///
  /// - Parameter path: At most ``maximumPathLength`` bytes.
  static func with(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { bytes in
      // The address is zeroed, so that the path ends in one.
      unsafe bytes.copyBytes(from: path.utf8.prefix(maximumPathLength))
    }
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
        unsafe body(rebound, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  /// Connects to a server.
  ///
  /// It does not block: a Unix socket is connected at once, or not at all. Where the server has as many
  /// callers waiting as it takes, that is EAGAIN.
  ///
  /// - Returns: The connected socket's descriptor, which does not block either.
  /// - Throws: UNAVAILABLE with the system's reason; INVALID_ARGUMENT for a path that no socket has.
  static func connect(_ path: String) throws(RPCError) -> Int32 {
    func failure(_ code: StatusCode, _ reason: String) -> RPCError {
      RPCError(code: code, message: "cannot connect to \(path): \(reason)")
    }

    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw failure(.invalidArgument, "a socket needs a path in the file system")
    }
    guard path.utf8.count <= maximumPathLength else {
      throw failure(
        .invalidArgument,
        "the path has \(path.utf8.count) bytes, and a socket's has at most \(maximumPathLength)")
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

internal import Glibc

extension UnixListener {
  /// Checks that a descriptor is a listening Unix stream socket, and makes it non-blocking and
  /// close-on-exec.
  ///
  /// - Returns: The path to which the socket is bound.
  static func inspect(_ descriptor: Int32) throws(Failure) -> String {
    func failure(_ reason: String) -> Failure {
      Failure(path: "descriptor \(descriptor)", reason: reason)
    }
    func systemFailure(_ call: String) -> Failure { failure("\(call): \(systemErrorText())") }

    guard let domain = option(SO_DOMAIN, of: descriptor) else {
      throw failure(lastSystemError == ENOTSOCK ? "not a socket" : systemErrorText())
    }
    guard domain == AF_UNIX else { throw failure("not a Unix socket") }
    guard option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue) else {
      throw failure("not a stream socket")
    }
    guard option(SO_ACCEPTCONN, of: descriptor) == 1 else { throw failure("not listening") }
    guard let path = path(of: descriptor) else { throw systemFailure("getsockname") }
    // Abstract sockets have no permissions: every user on the host could connect.
    guard !path.isEmpty else { throw failure("not bound to a path in the file system") }

    // The process that passed the descriptor may have left it blocking and inheritable.
    let status = fcntl(descriptor, F_GETFL)
    guard status >= 0, fcntl(descriptor, F_SETFL, status | O_NONBLOCK) == 0,
      fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
    else { throw systemFailure("fcntl") }
    return path
  }

  private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 else { return nil }
    return value
  }

  /// Returns the path to which a Unix socket is bound; empty if it is not bound to a path.
  private static func path(of descriptor: Int32) -> String? {
    var address = sockaddr_un()
    var length = socklen_t(MemoryLayout<sockaddr_un>.size)
    let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
        unsafe getsockname(descriptor, rebound, &length)
      }
    }
    guard result == 0 else { return nil }
    let used = max(Int(length) - MemoryLayout<sa_family_t>.size, 0)
    let bytes = unsafe withUnsafeBytes(of: &address.sun_path) { unsafe Array($0.prefix(used)) }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}

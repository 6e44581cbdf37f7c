internal import Glibc

extension UnixListener {
  /// Makes sure that a descriptor is a listening Unix stream socket, and makes it fit to be served.
  ///
  /// - Returns: The path that it listens at.
  static func inspect(_ descriptor: Int32) throws(Failure) -> String {
    func failure(_ reason: String) -> Failure {
      Failure(path: "descriptor \(descriptor)", reason: reason)
    }
    func systemFailure(_ call: String) -> Failure { failure("\(call): \(systemErrorText())") }

    guard let domain = option(SO_DOMAIN, of: descriptor) else {
      throw failure(lastSystemError == ENOTSOCK ? "it is no socket" : systemErrorText())
    }
    guard domain == AF_UNIX else { throw failure("it is no Unix socket") }
    guard option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue) else {
      throw failure("it is no stream socket")
    }
    guard option(SO_ACCEPTCONN, of: descriptor) == 1 else { throw failure("it does not listen") }
    guard let path = path(of: descriptor) else { throw systemFailure("getsockname") }
    // Abstract names have no permissions: everybody on the host could call.
    guard !path.isEmpty else { throw failure("it has no path in the file system") }

    // Whoever handed it on may have left it blocking, for us and for our children alike.
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

  /// Where a Unix socket is bound: empty, where at no path.
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

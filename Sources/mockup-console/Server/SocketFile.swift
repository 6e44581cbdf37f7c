internal import Glibc
internal import StandardStreams

/// The file of the console's Unix socket, if it listens on one.
struct SocketFile {
  private let path: String?

  /// Checks that the path is free, and restricts the file that will be made to user and group.
  ///
  /// A socket on which no process listens is left for the server to replace.
  ///
  /// - Throws: `CommandError` if the path is in use or has a file that is not a socket.
  init(_ address: ListenAddress) throws(CommandError) {
    guard case .unixSocket(let path) = address else {
      self.path = nil
      return
    }
    self.path = path
    // The server makes the file with the mode 0777 less this mask. It is set before other threads
    // make files; the process makes no others.
    umask(0o117)
    func failure(_ reason: String) -> CommandError {
      CommandError("cannot listen on \(path): \(reason)", exitCode: CommandError.unavailable)
    }
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw failure("the file exists and is not a socket")
    }
    if Self.isInUse(path) { throw failure("another server is already listening") }
  }

  /// Removes the file after the server has stopped.
  func remove() {
    if let path { unsafe unlink(path) }
  }

  private static func isInUse(_ path: String) -> Bool {
    let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard probe >= 0 else { return false }
    defer { close(probe) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { bytes in
      unsafe bytes.copyBytes(from: path.utf8.prefix(ListenAddress.maximumPathLength))
    }
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
        unsafe connect(probe, rebound, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
  }
}

internal import Glibc

/// A listening Unix socket, together with its file.
///
/// The file has its mode and group before the first connection is accepted. A socket file on which
/// no process listens is replaced. A socket in use, or a file that is not a socket, is an error.
///
/// An inherited socket is used as it is, and its file is not removed.
public struct UnixListener: Sendable, ~Copyable {
  /// The maximum length of a Unix socket's path, in bytes.
  public static let maximumPathLength = UnixAddress.maximumPathLength

  /// The default maximum number of connections that wait to be accepted.
  public static let defaultBacklog: Int32 = 1024

  /// The path of the socket file.
  public let path: String
  let descriptor: Int32
  /// The file to remove at the end; `nil` for an inherited socket.
  private let identity: FileIdentity?

  private struct FileIdentity: Equatable {
    var device: UInt64
    var inode: UInt64
  }

  /// An error that says why a socket cannot be listened on.
  public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The path of the socket, or `descriptor` and its number.
    public let path: String
    /// The reason, such as the name of a system call and the system's error text.
    public let reason: String

    /// The complete message, such as `cannot listen on /run/greeter.sock: bind: Permission denied`.
    public var description: String { "cannot listen on \(path): \(reason)" }
  }

  /// Creates a socket file and listens on it.
  ///
  /// - Parameters:
  ///   - path: The path of the file, at most ``maximumPathLength`` bytes. Abstract names are
  ///     refused, because abstract sockets have no permissions.
  ///   - mode: The file's permissions, such as `0o660`.
  ///   - groupID: The file's group. With `nil`, the system chooses it.
  ///   - backlog: The maximum number of connections that wait to be accepted. The kernel reduces it
  ///     to `net.core.somaxconn`.
  /// - Throws: ``Failure`` if the path is in use or a system call fails.
  public init(
    path: String, mode: UInt32 = 0o660, groupID: UInt32? = nil,
    backlog: Int32 = UnixListener.defaultBacklog
  ) throws(Failure) {
    func failure(_ reason: String) -> Failure { Failure(path: path, reason: reason) }
    func systemFailure(_ call: String) -> Failure { failure("\(call): \(systemErrorText())") }

    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw failure("the path is empty or contains a null byte")
    }
    guard path.utf8.count <= Self.maximumPathLength else {
      throw failure("the path is longer than \(Self.maximumPathLength) bytes")
    }
    try Self.removeStaleSocket(at: path)

    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_UNIX, type, 0)
    guard descriptor >= 0 else { throw systemFailure("socket") }
    var isBound = false
    do throws(Failure) {
      // No process can connect before listen(2), so the file's permissions are right from the
      // start.
      guard unsafe UnixAddress.with(path, { unsafe bind(descriptor, $0, $1) }) == 0 else {
        throw systemFailure("bind")
      }
      isBound = true
      if let groupID, unsafe chown(path, uid_t.max, groupID) != 0 { throw systemFailure("chown") }
      guard unsafe chmod(path, mode) == 0 else { throw systemFailure("chmod") }
      guard let identity = Self.identity(of: path) else { throw systemFailure("lstat") }
      guard listen(descriptor, backlog) == 0 else { throw systemFailure("listen") }
      self.path = path
      self.descriptor = descriptor
      self.identity = identity
    } catch {
      Glibc.close(descriptor)
      if isBound { unsafe unlink(path) }
      throw error
    }
  }

  /// Takes over a listening socket, such as one passed by systemd's socket activation.
  ///
  /// The file's mode and owner and the socket's backlog stay unchanged, and the file is not
  /// removed.
  ///
  /// - Parameter descriptor: The socket. The listener owns it, and closes it even if this
  ///   initializer throws.
  /// - Throws: ``Failure`` if the descriptor is not a listening Unix stream socket with a path.
  public init(inherited descriptor: Int32) throws(Failure) {
    do throws(Failure) {
      self.path = try Self.inspect(descriptor)
    } catch {
      Glibc.close(descriptor)
      throw error
    }
    self.descriptor = descriptor
    self.identity = nil
  }

  /// Stops listening and removes the socket file.
  ///
  /// Accepted connections stay open.
  public consuming func close() {
    removeFile()
    Glibc.close(descriptor)
  }

  /// Removes the socket file, unless the socket was inherited or another file has replaced it.
  func removeFile() {
    guard let identity else { return }
    if Self.identity(of: path) == identity { unsafe unlink(path) }
  }

  private static func removeStaleSocket(at path: String) throws(Failure) {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw Failure(path: path, reason: "the file exists and is not a socket")
    }
    let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard probe >= 0 else { throw Failure(path: path, reason: "socket: \(systemErrorText())") }
    defer { Glibc.close(probe) }
    if unsafe UnixAddress.with(path, { unsafe connect(probe, $0, $1) }) == 0 {
      throw Failure(path: path, reason: "another server is already listening")
    }
    guard lastSystemError == ECONNREFUSED else {
      throw Failure(path: path, reason: "connect: \(systemErrorText())")
    }
    unsafe unlink(path)
  }

  private static func identity(of path: String) -> FileIdentity? {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return nil }
    return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }
}

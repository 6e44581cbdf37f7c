internal import Glibc

/// A Unix socket that listens at a path, from nothing to its removal.
///
/// The file gets its mode and group before it accepts anybody. A socket file that nobody listens on
/// any more is replaced; a live one, or a file that is no socket, is an error.
///
/// One that was inherited is served as it is: its file belongs to whoever made it, and stays.
public struct UnixListener: Sendable, ~Copyable {
  /// The longest path that a Unix socket's address holds, in bytes.
  public static let maximumPathLength = UnixAddress.maximumPathLength

  /// The default length of the queue of connections that wait to be accepted.
  public static let defaultBacklog: Int32 = 1024

  /// Where it listens.
  public let path: String
  let descriptor: Int32
  /// What it may remove at its end; nothing where the file is another's.
  private let identity: FileIdentity?

  private struct FileIdentity: Equatable {
    var device: UInt64
    var inode: UInt64
  }

  /// Why a path cannot be listened on.
  public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
    public let path: String
    public let reason: String

    public var description: String { "cannot listen on \(path): \(reason)" }
  }

  /// Makes the socket file and listens.
  ///
  /// - Parameters:
  ///   - path: At most ``maximumPathLength`` bytes, and no abstract name: those have no permissions.
  ///   - mode: The file's permissions, such as `0o660`.
  ///   - groupID: The file's group; `nil` leaves it to the system.
  ///   - backlog: How many connections may wait to be accepted. The system has a limit of its own
  ///     (`net.core.somaxconn`), and takes what is above it as that.
  public init(
    path: String, mode: UInt32 = 0o660, groupID: UInt32? = nil,
    backlog: Int32 = UnixListener.defaultBacklog
  ) throws(Failure) {
    func failure(_ reason: String) -> Failure { Failure(path: path, reason: reason) }
    func systemFailure(_ call: String) -> Failure { failure("\(call): \(systemErrorText())") }

    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw failure("a socket needs a path in the file system")
    }
    guard path.utf8.count <= Self.maximumPathLength else {
      throw failure("a socket's path holds at most \(Self.maximumPathLength) bytes")
    }
    try Self.removeStaleSocket(at: path)

    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_UNIX, type, 0)
    guard descriptor >= 0 else { throw systemFailure("socket") }
    var isBound = false
    do throws(Failure) {
      // Nobody can connect before listen(2), so the file's permissions are right from the start.
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

  /// Takes over a descriptor that listens already, as systemd's socket activation passes it.
  ///
  /// The file's mode and owner and the socket's backlog stay as they are, and the file is not removed.
  ///
  /// - Parameter descriptor: From now on this listener's, which closes it; also where it is refused.
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

  /// Stops listening and removes the socket file. What was accepted stays open.
  public consuming func close() {
    removeFile()
    Glibc.close(descriptor)
  }

  /// Removes the socket file, unless it is another's or another one has taken its place.
  func removeFile() {
    guard let identity else { return }
    if Self.identity(of: path) == identity { unsafe unlink(path) }
  }

  private static func removeStaleSocket(at path: String) throws(Failure) {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw Failure(path: path, reason: "a file that is no socket is there")
    }
    let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard probe >= 0 else { throw Failure(path: path, reason: "socket: \(systemErrorText())") }
    defer { Glibc.close(probe) }
    if unsafe UnixAddress.with(path, { unsafe connect(probe, $0, $1) }) == 0 {
      throw Failure(path: path, reason: "a server is listening there already")
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

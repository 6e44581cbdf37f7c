internal import Glibc

/// The sockets that this process inherited from systemd (socket activation).
///
/// Source: sd_listen_fds(3).
public struct ListenDescriptors: Sendable, Hashable {
  /// An inherited socket.
  public struct Socket: Sendable, Hashable {
    /// The file descriptor of the socket, which is set to close-on-exec.
    public let descriptor: Int32
    /// The name in the socket unit (`FileDescriptorName=`), or nil if no names were passed.
    public let name: String?
  }

  /// The sockets in the order of the unit's `Listen…=` lines; empty if none were passed.
  public let sockets: [Socket]

  /// The first inherited descriptor; the others follow without a gap.
  static let first: Int32 = 3

  /// Returns the inherited sockets and unsets the variables that describe them.
  ///
  /// Call it once, before other threads read the environment. Variables that are meant for another
  /// process are ignored.
  ///
  /// - Throws: ``SystemdError`` if the variables are meant for this process and are invalid.
  public static func take() throws(SystemdError) -> ListenDescriptors {
    try ListenDescriptors(
      environment: EnvironmentVariable.take(["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]),
      processID: getpid()
    ) { descriptor in
      // A descriptor that was not passed may be one that the runtime has opened for itself.
      var status = stat()
      guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
        return false
      }
      // Child processes do not inherit it.
      return fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
    }
  }

  /// Creates the list from the values of the variables.
  ///
  /// - Parameter claim: Sets a descriptor to close-on-exec and returns true if it is a socket.
  init(
    environment: [String: String], processID: Int32, claim: (Int32) -> Bool
  ) throws(SystemdError) {
    guard let addressee = environment["LISTEN_PID"], let count = environment["LISTEN_FDS"] else {
      sockets = []
      return
    }
    guard let addresseeID = Int32(addressee), addresseeID > 0 else {
      throw .malformed("LISTEN_PID", addressee, "not a process id")
    }
    // The variables were meant for a parent process that did not unset them.
    guard addresseeID == processID else {
      sockets = []
      return
    }
    guard let count = Int32(count), (1...(Int32.max - Self.first)).contains(count) else {
      throw .malformed("LISTEN_FDS", count, "not a valid number of descriptors")
    }
    let names = environment["LISTEN_FDNAMES"].map {
      $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    }
    if let names, names.count != count {
      throw .malformed(
        "LISTEN_FDNAMES", names.joined(separator: ":"),
        "\(names.count) names for \(count) descriptors")
    }
    var sockets: [Socket] = []
    for index in 0..<count {
      let descriptor = Self.first + index
      guard claim(descriptor) else {
        throw .malformed("LISTEN_FDS", "\(count)", "descriptor \(descriptor) is not an open socket")
      }
      sockets.append(Socket(descriptor: descriptor, name: names?[Int(index)]))
    }
    self.sockets = sockets
  }
}

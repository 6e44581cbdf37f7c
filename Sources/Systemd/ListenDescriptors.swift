internal import Glibc

/// The sockets that were opened for this process before it started: socket activation, as
/// sd_listen_fds(3) describes it.
public struct ListenDescriptors: Sendable, Hashable {
  public struct Socket: Sendable, Hashable {
    public let descriptor: Int32
    /// What its unit calls it (`FileDescriptorName=`); nothing where the starter gave no names.
    public let name: String?
  }

  /// In the order of the unit's `Listen…=` lines.
  public let sockets: [Socket]

  /// The first that is handed on; the others follow it without a gap.
  static let first: Int32 = 3

  /// Takes what was handed on, once: the variables are gone afterwards. Call it before there are
  /// threads that read the environment.
  ///
  /// - Throws: Where the variables are for this process and make no sense.
  public static func take() throws(SystemdError) -> ListenDescriptors {
    try ListenDescriptors(
      environment: EnvironmentVariable.take(["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]),
      processID: getpid()
    ) { descriptor in
      // Also what says whether it is open at all. Children inherit it no further.
      fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
    }
  }

  /// - Parameter claim: Makes a descriptor this process's own. Returns whether it is open.
  init(
    environment: [String: String], processID: Int32, claim: (Int32) -> Bool
  ) throws(SystemdError) {
    guard let addressee = environment["LISTEN_PID"], let count = environment["LISTEN_FDS"] else {
      sockets = []
      return
    }
    guard let addresseeID = Int32(addressee), addresseeID > 0 else {
      throw .malformed("LISTEN_PID", addressee, "which is no process")
    }
    // They were for a parent that did not unset them.
    guard addresseeID == processID else {
      sockets = []
      return
    }
    guard let count = Int32(count), (1...(Int32.max - Self.first)).contains(count) else {
      throw .malformed("LISTEN_FDS", count, "which is no number of descriptors")
    }
    let names = environment["LISTEN_FDNAMES"].map {
      $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    }
    if let names, names.count != count {
      throw .malformed(
        "LISTEN_FDNAMES", names.joined(separator: ":"),
        "which is \(names.count) names for \(count) descriptors")
    }
    var sockets: [Socket] = []
    for index in 0..<count {
      let descriptor = Self.first + index
      guard claim(descriptor) else {
        throw .malformed("LISTEN_FDS", "\(count)", "but descriptor \(descriptor) is not open")
      }
      sockets.append(Socket(descriptor: descriptor, name: names?[Int(index)]))
    }
    self.sockets = sockets
  }
}

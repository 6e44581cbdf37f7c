internal import CLinux
internal import Glibc
internal import NIOCore
internal import NIOPosix

/// The credentials of the process at the other end of a Unix socket.
///
/// The kernel records them when the process connects, and reports them through `SO_PEERCRED` and
/// `SO_PEERGROUPS`. Another process may use the connection later, because a process can pass its
/// descriptor.
public struct PeerIdentity: Sendable, Hashable {
  /// The process id, which may belong to another process once this one has exited.
  public let processID: Int32
  /// The effective user id.
  public let userID: UInt32
  /// The effective group id.
  public let groupID: UInt32
  /// All groups of the process, each once: ``groupID`` first, then the supplementary groups.
  public let groupIDs: [UInt32]

  /// Creates an identity from credentials.
  ///
  /// - Parameters:
  ///   - processID: The process id.
  ///   - userID: The effective user id.
  ///   - groupID: The effective group id.
  ///   - supplementaryGroupIDs: The supplementary groups, which may contain duplicates and
  ///     `groupID`.
  public init(
    processID: Int32, userID: UInt32, groupID: UInt32, supplementaryGroupIDs: [UInt32] = []
  ) {
    self.processID = processID
    self.userID = userID
    self.groupID = groupID
    var seen: Set<UInt32> = [groupID]
    self.groupIDs = [groupID] + supplementaryGroupIDs.filter { seen.insert($0).inserted }
  }
}

extension PeerIdentity: CustomStringConvertible {
  /// The credentials as text, such as `uid 1000, gid 1000, pid 4711`.
  public var description: String { "uid \(userID), gid \(groupID), pid \(processID)" }
}

extension PeerIdentity {
  /// The maximum number of groups of a process (`NGROUPS_MAX`).
  static let maximumGroups = 65_536

  /// Reads the credentials of the peer of a connected Unix socket.
  init(ofPeerOn socket: Int32) throws(IOError) {
    var peer = clinux_peer()
    let code = unsafe clinux_peer_credentials(socket, &peer)
    guard code == 0 else { throw IOError(errnoCode: code, reason: "getsockopt(SO_PEERCRED)") }
    self.init(
      processID: peer.pid, userID: peer.uid, groupID: peer.gid,
      supplementaryGroupIDs: try Self.supplementaryGroups(ofPeerOn: socket))
  }

  private static func supplementaryGroups(ofPeerOn socket: Int32) throws(IOError) -> [UInt32] {
    // Most processes are in fewer groups. For the others, a second attempt uses the count that the
    // kernel returns.
    var capacity = 64
    while true {
      var groups = [gid_t](repeating: 0, count: capacity)
      var count = UInt32(capacity)
      switch unsafe clinux_peer_groups(socket, &groups, &count) {
      case 0: return Array(groups.prefix(Int(count)))
      // The groups of a peer never change, so this happens at most once.
      case ERANGE where capacity < count && count <= maximumGroups: capacity = Int(count)
      // A kernel without this option reports only the primary group.
      case ENOPROTOOPT: return []
      case let code: throw IOError(errnoCode: code, reason: "getsockopt(SO_PEERGROUPS)")
      }
    }
  }
}

extension ChannelPipeline.SynchronousOperations {
  /// Reads the credentials of the peer of the channel's socket.
  func peerIdentity() throws -> PeerIdentity {
    let peer = try withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { socket in
      try PeerIdentity(ofPeerOn: socket)
    }
    guard let peer else { throw ChannelError.operationUnsupported }
    return peer
  }
}

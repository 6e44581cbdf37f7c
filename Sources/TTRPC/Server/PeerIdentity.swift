internal import CLinux
internal import Glibc
internal import NIOCore
internal import NIOPosix

/// The process at the other end of a Unix socket, as the kernel recorded it when it connected
/// (`SO_PEERCRED`, `SO_PEERGROUPS`). It tells who connected, not who writes now: a descriptor can be
/// handed on.
public struct PeerIdentity: Sendable, Hashable {
  public let processID: Int32
  public let userID: UInt32
  public let groupID: UInt32
  /// Every group it was in: the primary one first, then the others, each once.
  public let groupIDs: [UInt32]

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
  public var description: String { "uid \(userID), gid \(groupID), pid \(processID)" }
}

extension PeerIdentity {
  /// The most groups that a process can be in (`NGROUPS_MAX`).
  static let maximumGroups = 65_536

  /// Asks the kernel who is at the other end of a connected Unix socket.
  init(ofPeerOn socket: Int32) throws(IOError) {
    var peer = clinux_peer()
    let code = unsafe clinux_peer_credentials(socket, &peer)
    guard code == 0 else { throw IOError(errnoCode: code, reason: "getsockopt(SO_PEERCRED)") }
    self.init(
      processID: peer.pid, userID: peer.uid, groupID: peer.gid,
      supplementaryGroupIDs: try Self.supplementaryGroups(ofPeerOn: socket))
  }

  private static func supplementaryGroups(ofPeerOn socket: Int32) throws(IOError) -> [UInt32] {
    // Hardly anybody is in more; who is, is asked about once more with enough room.
    var room = 64
    while true {
      var groups = [gid_t](repeating: 0, count: room)
      var count = UInt32(room)
      switch unsafe clinux_peer_groups(socket, &groups, &count) {
      case 0: return Array(groups.prefix(Int(count)))
      // The groups of a peer never change, so this happens once.
      case ERANGE where room < count && count <= maximumGroups: room = Int(count)
      // A kernel without the option leaves the primary group.
      case ENOPROTOOPT: return []
      case let code: throw IOError(errnoCode: code, reason: "getsockopt(SO_PEERGROUPS)")
      }
    }
  }
}

extension ChannelPipeline.SynchronousOperations {
  /// Who is at the other end of a channel's socket.
  func peerIdentity() throws -> PeerIdentity {
    let peer = try withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { socket in
      try PeerIdentity(ofPeerOn: socket)
    }
    guard let peer else { throw ChannelError.operationUnsupported }
    return peer
  }
}

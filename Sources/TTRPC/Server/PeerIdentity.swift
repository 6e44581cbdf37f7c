/// The process at the other end of a Unix socket, as the kernel recorded it when it connected
/// (`SO_PEERCRED`). It tells who connected, not who writes now: a descriptor can be handed on.
public struct PeerIdentity: Sendable, Hashable {
  public let processID: Int32
  public let userID: UInt32
  public let groupID: UInt32

  public init(processID: Int32, userID: UInt32, groupID: UInt32) {
    self.processID = processID
    self.userID = userID
    self.groupID = groupID
  }
}

extension PeerIdentity: CustomStringConvertible {
  public var description: String { "uid \(userID), gid \(groupID), pid \(processID)" }
}

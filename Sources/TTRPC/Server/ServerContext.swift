public import Logging

/// What a handler knows about the call besides its request.
public struct ServerContext: Sendable {
  /// Who connected, by the kernel's word.
  public let peer: PeerIdentity
  /// The service's full name.
  public let service: String
  /// The method's bare name.
  public let method: String
  /// What the caller sent beside the request.
  public let metadata: Metadata
  /// When the caller stops waiting. The call's task is cancelled then, and the caller is told so.
  public let deadline: ContinuousClock.Instant?

  let connectionLogger: Logger

  /// Where to log, with the peer and the method on every line.
  public var logger: Logger {
    var logger = connectionLogger
    logger[metadataKey: "method"] = "\(service)/\(method)"
    return logger
  }
}

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

internal import Logging
package import NIOCore

/// The times of a connection's last events, which show whether the peer stalls.
package struct PeerActivity {
  /// The time at which the peer last sent something.
  package var lastRead: NIODeadline
  /// The time at which an incomplete frame began; `nil` if there is none.
  package var frameBegan: NIODeadline?
  /// The time since which the peer has read nothing, although data waits for it.
  package var unwritableSince: NIODeadline?

  /// A reason to close a connection.
  struct Stall: Equatable {
    let reason: String
    let level: Logger.Level
  }

  /// Returns the reason to close the connection at a time, or `nil`.
  func stall(_ limits: ServerLimits, hasCalls: Bool, now: NIODeadline) -> Stall? {
    if let frameBegan, now - frameBegan > TimeAmount(limits.frameTimeout) {
      return Stall(
        reason: "a frame was not complete within \(limits.frameTimeout)", level: .notice)
    }
    if let unwritableSince, now - unwritableSince > TimeAmount(limits.writeTimeout) {
      return Stall(reason: "the peer has read nothing for \(limits.writeTimeout)", level: .notice)
    }
    if let idleTimeout = limits.idleTimeout, !hasCalls, now - lastRead > TimeAmount(idleTimeout) {
      return Stall(reason: "idle", level: .debug)
    }
    return nil
  }
}

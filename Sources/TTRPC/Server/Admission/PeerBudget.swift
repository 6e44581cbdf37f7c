/// The limits of one user, which apply to all connections of a user id together.
///
/// The server's own ``ServerLimits`` apply as well.
public struct PeerBudget: Sendable, Hashable {
  /// The maximum number of open connections.
  ///
  /// Further connections are taken from ``ServerLimits/reservedConnections`` or closed.
  public var connections: Int
  /// The maximum number of calls in flight, without endless calls.
  ///
  /// Further calls get ``StatusCode/resourceExhausted``.
  public var calls: Int
  /// The maximum number of endless calls (see ``ServerLimits/endlessCalls``).
  ///
  /// Each further one ends the user's oldest endless call.
  public var endlessCalls: Int
  /// A Boolean value that indicates whether the user is a guest.
  ///
  /// All guests together get at most half of the server's connections and calls, whatever the
  /// number of their user ids.
  public var isGuest: Bool

  /// Creates a budget with the given limits.
  public init(connections: Int, calls: Int, endlessCalls: Int, isGuest: Bool = false) {
    self.connections = connections
    self.calls = calls
    self.endlessCalls = endlessCalls
    self.isGuest = isGuest
  }

  /// A budget without limits; only the server's own ``ServerLimits`` apply.
  public static let unlimited = PeerBudget(connections: .max, calls: .max, endlessCalls: .max)
}

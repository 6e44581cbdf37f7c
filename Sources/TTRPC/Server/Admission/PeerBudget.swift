/// The limits of one user: they hold for all connections of a user id together.
///
/// The server's own ``ServerLimits`` hold as well.
public struct PeerBudget: Sendable, Hashable {
  /// The maximum number of open connections.
  public var connections: Int
  /// The maximum number of calls in flight, endless calls excluded.
  public var calls: Int
  /// The maximum number of endless calls (``ServerLimits/endlessCalls``). One more ends the user's oldest.
  public var endlessCalls: Int
  /// Whether the user is a guest. All guests together get at most half of the server's connections and
  /// calls, however many user ids they have.
  public var isGuest: Bool

  public init(connections: Int, calls: Int, endlessCalls: Int, isGuest: Bool = false) {
    self.connections = connections
    self.calls = calls
    self.endlessCalls = endlessCalls
    self.isGuest = isGuest
  }

  /// A budget without limits of its own.
  public static let unlimited = PeerBudget(connections: .max, calls: .max, endlessCalls: .max)
}

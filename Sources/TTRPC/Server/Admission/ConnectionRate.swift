internal import NIOConcurrencyHelpers
internal import NIOCore

/// The rate at which each user may connect, above which new connections wait before they are
/// served.
///
/// A peer that the server disconnects could otherwise connect again as often as it can, and each
/// connection costs more than many calls. The rate is a token bucket for each user id.
struct ConnectionRate {
  /// The size of a bucket, as the time in which it fills.
  private static let burst: TimeAmount = .seconds(5)
  /// The longest wait, so that a user's other clients can connect.
  private static let longestWait: TimeAmount = .seconds(1)
  /// The number of connections that a connection with a protocol violation counts as.
  private static let violationCost: Int64 = 100
  /// The number of users above which users with full buckets are removed.
  private static let rememberedUsers = 1024

  /// The time that must pass for each connection; `nil` for no limit.
  private let interval: TimeAmount?
  /// The time at which each user's bucket is full again, by user id.
  private var full: [UInt32: NIODeadline] = [:]

  /// Creates full buckets.
  ///
  /// - Parameter perSecond: The number of connections per second; 0 for no limit.
  init(perSecond: Int) {
    interval = perSecond > 0 ? .nanoseconds(1_000_000_000 / Int64(perSecond)) : nil
  }

  /// Counts a connection of a user, and returns the time that it has to wait.
  mutating func wait(of userID: UInt32, at now: NIODeadline) -> TimeAmount {
    max(take(1, from: userID, at: now) - now - Self.burst, .zero)
  }

  /// Counts a connection that the server closes because it breaks the rules of its protocol.
  mutating func violated(by userID: UInt32, at now: NIODeadline) {
    take(Self.violationCost, from: userID, at: now)
  }

  /// Takes the tokens of connections from a user's bucket.
  ///
  /// - Returns: The time at which the bucket would have been full again without them.
  @discardableResult
  private mutating func take(
    _ connections: Int64, from userID: UInt32, at now: NIODeadline
  ) -> NIODeadline {
    guard let interval else { return now }
    if full.count >= Self.rememberedUsers { full = full.filter { $0.value > now } }
    let before = max(full[userID] ?? now, now)
    // Further tokens are not taken, so that no connection waits longer.
    full[userID] = min(before + interval * connections, now + Self.burst + Self.longestWait)
    return before
  }
}

/// The rate at which users may connect to a server, for its acceptor and its connections.
final class ConnectionRates: Sendable {
  private let rate: NIOLockedValueBox<ConnectionRate>

  init(_ limits: ServerLimits) {
    rate = NIOLockedValueBox(ConnectionRate(perSecond: limits.connectionsPerSecondPerUser))
  }

  /// Counts a connection of a user, and returns the time that it has to wait.
  func wait(of userID: UInt32, at now: NIODeadline = .now()) -> TimeAmount {
    rate.withLockedValue { $0.wait(of: userID, at: now) }
  }

  /// Counts a connection that the server closes because it breaks the rules of its protocol.
  func violated(by userID: UInt32, at now: NIODeadline) {
    rate.withLockedValue { $0.violated(by: userID, at: now) }
  }
}

/// When calls are due that come at a rate, whatever becomes of those before: the first at the start,
/// each `1 / rate` seconds behind the one before, in turn on each of the connections.
struct Schedule {
  /// Calls that are due sooner than this after others wait for them: waking up for each would cost the
  /// server its processor. Their wait counts, as any other.
  static let shortestSleep: UInt64 = 20_000

  private let start: UInt64
  private let interval: Double
  private let connections: Int

  /// `rate` is in calls per second, of all connections; `start` of `Clock.now`.
  init(start: UInt64, rate: Double, connections: Int) {
    self.start = start
    interval = 1e9 / rate
    self.connections = connections
  }

  /// When a connection's call `number` (from 0) is due.
  @inline(__always)
  func due(connection: Int, number: Int) -> UInt64 {
    start &+ UInt64(Double(number &* connections &+ connection) * interval)
  }

  /// How many calls of a connection have been due up to then.
  func dueCount(connection: Int, at time: UInt64) -> Int {
    guard time >= due(connection: connection, number: 0) else { return 0 }
    let all = Int(Double(time - start) / interval)
    return all < connection ? 0 : (all - connection) / connections + 1
  }
}

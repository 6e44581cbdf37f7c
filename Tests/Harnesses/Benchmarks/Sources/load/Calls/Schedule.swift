/// The times at which the calls of an open loop are due.
///
/// The first call is due at the start, and each further one `1 / rate` seconds after the one
/// before, on the connections in rotation. They do not depend on the responses of earlier calls.
struct Schedule {
  /// The shortest time between two wake-ups that send calls, in nanoseconds.
  ///
  /// Calls that are due sooner wait: a wake-up and a system call for each would take CPU time from
  /// the server. Their wait counts as latency.
  static let tick: UInt64 = 1_000_000

  private let start: UInt64
  private let interval: Double
  private let connections: Int

  /// Creates a schedule with `rate` calls per second on all connections, from `start` of
  /// `Clock.now`.
  init(start: UInt64, rate: Double, connections: Int) {
    self.start = start
    interval = 1e9 / rate
    self.connections = connections
  }

  /// Returns the time at which the call `number` (from 0) of a connection is due.
  @inline(__always)
  func due(connection: Int, number: Int) -> UInt64 {
    start &+ UInt64(Double(number &* connections &+ connection) * interval)
  }

  /// Returns the number of calls of a connection that are due up to a time.
  func dueCount(connection: Int, at time: UInt64) -> Int {
    guard time >= due(connection: connection, number: 0) else { return 0 }
    let all = Int(Double(time - start) / interval)
    return all < connection ? 0 : (all - connection) / connections + 1
  }
}

/// The settings of a run, with times in nanoseconds.
struct Plan {
  /// The time after its planned end at which a run is aborted.
  static let abortDelay: UInt64 = 30_000_000_000

  var work: Work
  var wireProtocol: WireProtocol
  var socket: String
  var connections: Int
  /// The maximum number of calls in flight on each connection.
  var inFlight: Int
  var warmup: UInt64
  var measured: UInt64
  /// The calls per second of all connections (with `performance` entries); `nil` for a closed loop.
  var rate: Double?
  var users: Int
  /// The number of the first user.
  var firstUser = 0
  var serverProcessID: Int32?
  var seed: UInt64
  /// The number of entries in a batch of `performance`.
  var batch: Int
  /// The maximum number of batches of `performance`.
  var batches: Int?
  /// The number of mockups of `performance`.
  var mockups: Int
  /// The time at which the run is aborted, on the clock `Clock.now`.
  var deadline: UInt64
}

/// What to do, and for how long. Lengths of time are in nanoseconds.
struct Plan {
  /// How long after what was asked for a run is given up, whatever the server does.
  static let patience: UInt64 = 30_000_000_000

  var work: Work
  var socket: String
  var connections: Int
  /// On each connection.
  var inFlight: Int
  var warmup: UInt64
  var measured: UInt64
  /// Calls per second, of all connections; with `performance` entries per second. Nil: as they can.
  var rate: Double?
  var users: Int
  var serverProcessID: Int32?
  var seed: UInt64
  /// Of `performance`: entries in a batch, how many batches at most, and how many mockups there are.
  var batch: Int
  var batches: Int?
  var mockups: Int
  /// When the run is given up, of `Clock.now`.
  var deadline: UInt64
}

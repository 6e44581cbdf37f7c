/// A call that waits for its response.
struct Call {
  /// The stream id; 0 if there is no call.
  var streamID: UInt32 = 0
  /// The user's number.
  var user: UInt32 = 0
  /// The time from which latency is measured, on the clock `Clock.now`: the time at which the call
  /// was written or, in an open loop, due.
  var started: UInt64 = 0
  var reservation = RandomUUID.none
  /// True if the call is the commit of a pair.
  var commits = false
  /// With gRPC: the result of the message; `nil` until it has arrived.
  var succeeded: Bool?
}

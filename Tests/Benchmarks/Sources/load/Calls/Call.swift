/// A call that waits for its answer.
struct Call {
  /// 0: there is none.
  var streamID: UInt32 = 0
  /// The user's number.
  var user: UInt32 = 0
  /// When its time began, of `Clock.now`: when it was written, or when it was due.
  var started: UInt64 = 0
  var reservation = RandomUUID.none
  /// It is the second half of a pair.
  var commits = false
}

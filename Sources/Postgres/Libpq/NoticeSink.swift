import CLibPQ

/// The receiver of a connection's notices, which libpq would otherwise print to standard error.
///
/// Not `Sendable`: libpq calls it in calls on the connection's thread.
final class NoticeSink {
  private let receive: @Sendable (PostgresNotice) -> Void
  private var hasReplicationWaitEnded = false

  init(_ receive: @escaping @Sendable (PostgresNotice) -> Void) {
    self.receive = receive
  }

  /// Returns true if the server has reported since the last call that it stopped waiting for the
  /// replication of a commit.
  func takeReplicationWaitEnded() -> Bool {
    defer { hasReplicationWaitEnded = false }
    return hasReplicationWaitEnded
  }

  fileprivate func receive(_ fields: ServerFields) {
    if fields.endsReplicationWait { hasReplicationWaitEnded = true }
    receive(PostgresNotice(fields))
  }
}

/// The notice receiver for libpq.
///
/// It is a global function because a closure might inherit an isolation that libpq does not
/// respect.
func receiveNotice(sink: UnsafeMutableRawPointer?, result: OpaquePointer?) {
  guard let sink = unsafe sink, let result = unsafe result,
    let fields = unsafe ServerFields(reading: result)
  else { return }
  unsafe Unmanaged<NoticeSink>.fromOpaque(sink).takeUnretainedValue().receive(fields)
}

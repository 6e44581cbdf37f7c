import CLibPQ

/// The receiver of a connection's notices, which libpq would otherwise print to standard error.
final class NoticeSink {
  private let receive: @Sendable (PostgresNotice) -> Void

  init(_ receive: @escaping @Sendable (PostgresNotice) -> Void) {
    self.receive = receive
  }

  fileprivate func receive(_ fields: ServerFields) {
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

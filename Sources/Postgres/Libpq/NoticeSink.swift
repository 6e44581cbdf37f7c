import CLibPQ

/// Where a connection's notices go instead of standard error.
final class NoticeSink {
  private let receive: @Sendable (PostgresNotice) -> Void

  init(_ receive: @escaping @Sendable (PostgresNotice) -> Void) {
    self.receive = receive
  }

  fileprivate func receive(_ fields: ServerFields) {
    receive(PostgresNotice(fields))
  }
}

/// What libpq calls; at the top level, because a closure could inherit an isolation libpq breaks.
func receiveNotice(sink: UnsafeMutableRawPointer?, result: OpaquePointer?) {
  guard let sink = unsafe sink, let result = unsafe result,
    let fields = unsafe ServerFields(reading: result)
  else { return }
  unsafe Unmanaged<NoticeSink>.fromOpaque(sink).takeUnretainedValue().receive(fields)
}

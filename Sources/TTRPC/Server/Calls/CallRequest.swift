/// A request for a call, as a wire format has read it.
struct CallRequest {
  let streamID: UInt32
  let method: MethodTable.Match
  var metadata = Metadata()
  /// The time that the call may take, counted from `began`; `nil` for no limit.
  ///
  /// A negative value means that the deadline has passed.
  var timeout: Duration?
  /// The time at which the request arrived.
  var began: ContinuousClock.Instant
  /// The number of bytes of memory that the request takes until the handler has returned.
  var size: Int
  /// The queue of the requests, if they are a stream.
  var requests: InboundQueue?

  var kind: CallKind {
    switch method {
    case .known(let entry): CallKind(entry.method, hasDeadline: timeout != nil)
    case .unknown: .bounded
    }
  }
}

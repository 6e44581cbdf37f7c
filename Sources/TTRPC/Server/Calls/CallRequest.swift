/// A request for a call, as a wire format has read it.
package struct CallRequest {
  package let streamID: UInt32
  package let method: MethodTable.Match
  let metadata: Metadata
  /// The time that the call may take, counted from `began`; `nil` for no limit.
  ///
  /// A negative value means that the deadline has passed.
  let timeout: Duration?
  /// The time at which the request arrived.
  let began: ContinuousClock.Instant
  /// The number of bytes of memory that the request takes until the handler has returned.
  package var size: Int
  /// The queue of the requests, if they are a stream.
  package var requests: InboundQueue?

  package init(
    streamID: UInt32, method: MethodTable.Match, metadata: Metadata = Metadata(),
    timeout: Duration?, began: ContinuousClock.Instant, size: Int
  ) {
    self.streamID = streamID
    self.method = method
    self.metadata = metadata
    self.timeout = timeout
    self.began = began
    self.size = size
  }

  var kind: CallKind {
    switch method {
    case .known(let entry): CallKind(entry.method, hasDeadline: timeout != nil)
    case .unknown: .bounded
    }
  }
}

// The responses.
extension CallLoop {
  @inline(__always)
  mutating func receive(_ index: Int) throws(LoadError) {
    let connection = unsafe connections.baseAddress.unsafelyUnwrapped + index
    guard try unsafe connection.pointee.received.fill(from: connection.pointee.socket) else {
      return
    }
    let now = Clock.now()
    switch wireProtocol {
    case .ttrpc: try receiveTTRPC(index, now)
    case .grpc: try receiveGRPC(index, now)
    }
    guard schedule == nil else { return try flush(index) }
    // The clock is read again: the responses took time, and a latency counts from the write.
    _ = try send(index, Clock.now())
  }

  @inline(__always)
  private mutating func receiveTTRPC(_ index: Int, _ now: UInt64) throws(LoadError) {
    let connection = unsafe connections.baseAddress.unsafelyUnwrapped + index
    while let frame = try unsafe connection.pointee.received.next() {
      // All calls are unary, so frames of other types are ignored.
      guard frame.header.kind == FrameHeader.Kind.response else { continue }
      guard let call = unsafe connection.pointee.calls.close(frame.header.streamID) else {
        throw LoadError("the server responded on stream \(frame.header.streamID) without a call")
      }
      guard let answer = unsafe Answer(frame.body) else {
        throw LoadError("the server's response on stream \(frame.header.streamID) is malformed")
      }
      if answer.code == 0 {
        let declined = mayDecline && !call.commits && !answer.succeeded
        try ended(call, declined: declined, index, now)
      } else if window.phase == .measuring {
        tally.failed(answer, after: now &- call.started)
      }
    }
  }

  /// Counts a call whose status is OK, or sends its second request.
  @inline(__always)
  mutating func ended(
    _ call: Call, declined: Bool, _ index: Int, _ now: UInt64
  ) throws(LoadError) {
    if let commit, !call.commits, !declined {
      var second = call
      second.commits = true
      return try append(&second, commit, to: index)
    }
    guard window.phase == .measuring else { return }
    let latency = now &- call.started
    if declined {
      tally.declined(isDone: commit == nil, after: latency)
    } else {
      tally.succeeded(after: latency)
    }
  }
}

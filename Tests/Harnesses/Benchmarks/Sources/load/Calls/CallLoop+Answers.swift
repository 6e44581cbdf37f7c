// The responses.
extension CallLoop {
  @inline(__always)
  mutating func receive(_ index: Int) throws(LoadError) {
    let connection = unsafe connections.baseAddress.unsafelyUnwrapped + index
    guard try unsafe connection.pointee.received.fill(from: connection.pointee.socket) else {
      return
    }
    let now = Clock.now()
    while let frame = try unsafe connection.pointee.received.next() {
      // All calls are unary, so frames of other types are ignored.
      guard frame.header.kind == FrameHeader.Kind.response else { continue }
      guard let call = unsafe connection.pointee.calls.close(frame.header.streamID) else {
        throw LoadError("the server responded on stream \(frame.header.streamID) without a call")
      }
      guard let answer = unsafe Answer(frame.body) else {
        throw LoadError("the server's response on stream \(frame.header.streamID) is malformed")
      }
      try take(answer, of: call, index, now)
    }
    // The clock is read again: the responses took time, and a latency counts from the write.
    _ = try send(index, Clock.now())
  }

  @inline(__always)
  private mutating func take(
    _ answer: Answer, of call: Call, _ index: Int, _ now: UInt64
  ) throws(LoadError) {
    var declined = false
    if mayDecline, !call.commits, answer.code == 0 {
      declined = !answer.succeeded
      if let commit, !declined {
        var second = call
        second.commits = true
        return try append(&second, commit, to: index)
      }
    }
    guard window.phase == .measuring else { return }
    let latency = now &- call.started
    if answer.code != 0 {
      tally.failed(answer, after: latency)
    } else if declined {
      tally.declined(isDone: commit == nil, after: latency)
    } else {
      tally.succeeded(after: latency)
    }
  }
}

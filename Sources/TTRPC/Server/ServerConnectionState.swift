/// What one connection of a server owes its peer: which streams are open, and what each frame means
/// for them. A plain value that neither reads nor writes; ``ServerConnectionHandler`` does that.
///
/// Invariant: exactly one terminal frame for each stream.
struct ServerConnectionState {
  /// What to do about a frame.
  enum FrameAction: Equatable {
    /// A call begins, and counts as running until ``callEnded(_:)``. Find its method, then ask
    /// ``methodFound(_:shape:flags:payloadLength:)``.
    case openCall(streamID: UInt32)
    /// The payload is a message of an open stream, its last one where it says so.
    case deliver(streamID: UInt32, isLast: Bool)
    /// The caller sends nothing more on this stream.
    case endInput(streamID: UInt32)
    /// Answer the stream with this status. `cancel`: its call runs; stop it, its answer is not wanted.
    case reject(streamID: UInt32, StatusCode, String, cancel: Bool)
    case ignore
  }

  /// What a request brings besides its names.
  struct Opening: Equatable {
    /// Whether its payload is a message.
    var hasMessage: Bool
    /// Whether the caller sends nothing more.
    var isLast: Bool
  }

  /// What to do with the outcome of a call.
  enum EndAction: Equatable {
    /// Write the call's answer.
    case answer
    /// Write the call's answer; nothing else will come, so close after it.
    case answerThenClose
    /// The stream had its terminal frame already.
    case drop
    /// As ``drop``, and nothing else will come.
    case dropThenClose
  }

  private enum Phase {
    case open
    /// New calls are refused, running ones finish.
    case draining
    /// The peer sends nothing more; running calls are still answered.
    case inputClosed
  }

  /// What may still come on a running stream.
  private enum Input {
    /// Nothing: the request was all.
    case single
    case open
    /// Nothing: the caller has said so.
    case closed
  }

  private var phase = Phase.open
  private var streamIDs = StreamIDWindow()
  private var running = StreamTable<Input>()
  /// The stream that was refused last for data without a call: it has had its terminal frame.
  private var lastRefusedData: UInt32?

  /// Calls that have not had their terminal frame.
  var callsInFlight: Int { running.count }

  func isRunning(_ streamID: UInt32) -> Bool { running[streamID] != nil }

  /// Whether there is nothing to wait for any more.
  var isFinished: Bool { phase != .open && running.isEmpty }

  var isDraining: Bool { phase == .draining }

  mutating func frameReceived(_ header: FrameHeader) -> FrameAction {
    switch FrameType(rawValue: header.type) {
    case .request: requestReceived(header)
    case .data: dataReceived(header)
    case .cancel where isRunning(header.streamID):
      reject(header.streamID, .cancelled, "the caller has cancelled")
    case .cancel, .response, nil: .ignore
    }
  }

  /// A frame above the size limit begins; its payload is not going to be seen.
  mutating func oversizeFrameReceived(_ header: FrameHeader, limit: Int) -> FrameAction {
    let message = "message of \(header.length) bytes exceeds the limit of \(limit)"
    switch FrameType(rawValue: header.type) {
    case .request:
      if let refusal = refusalOfNewStream(header.streamID) { return refusal }
      return reject(header.streamID, .resourceExhausted, message)
    case .data where isRunning(header.streamID):
      return reject(header.streamID, .resourceExhausted, message)
    case .data:
      return dataReceived(header)
    case .response, .cancel, nil:
      return .ignore
    }
  }

  /// The method that a request names has this shape, which decides; the flags are read after that.
  mutating func methodFound(
    _ streamID: UInt32, shape: CallShape, flags: FrameFlags, payloadLength: Int
  ) -> Opening {
    guard shape.streamsRequests else { return Opening(hasMessage: true, isLast: true) }
    let isLast = flags.contains(.remoteClosed)
    running[streamID] = isLast ? .closed : .open
    // containerd's client opens a stream without the flag for "no data", and without data.
    let hasMessage = payloadLength > 0 && !flags.contains(.noData)
    return Opening(hasMessage: hasMessage, isLast: isLast)
  }

  /// The call has an outcome: its handler is done, or its deadline has passed.
  mutating func callEnded(_ streamID: UInt32) -> EndAction {
    let wasRunning = running.removeValue(for: streamID) != nil
    switch (wasRunning, isFinished) {
    case (true, false): return .answer
    case (true, true): return .answerThenClose
    case (false, false): return .drop
    case (false, true): return .dropThenClose
    }
  }

  /// The peer closed its end for writing. Returns the streams whose messages can never be complete.
  mutating func inputClosed() -> [UInt32] {
    phase = .inputClosed
    return running.ids { $0 == .open }
  }

  /// The server takes no more calls.
  mutating func drainStarted() {
    if phase == .open { phase = .draining }
  }

  private mutating func requestReceived(_ header: FrameHeader) -> FrameAction {
    if let refusal = refusalOfNewStream(header.streamID) { return refusal }
    guard phase != .draining else {
      return reject(header.streamID, .unavailable, RPCError.drainMessage)
    }
    running[header.streamID] = .single
    return .openCall(streamID: header.streamID)
  }

  /// Why a stream cannot be opened under an id, if it cannot. Otherwise the id is taken.
  private mutating func refusalOfNewStream(_ streamID: UInt32) -> FrameAction? {
    guard streamID % 2 == 1 else {
      return reject(streamID, .invalidArgument, "stream id \(streamID) is not odd")
    }
    guard streamIDs.take(streamID) else {
      return reject(
        streamID, .invalidArgument,
        "stream id \(streamID) was used before, or is more than \(StreamIDWindow.size) calls behind "
          + "\(streamIDs.highest)")
    }
    return nil
  }

  private mutating func dataReceived(_ header: FrameHeader) -> FrameAction {
    let streamID = header.streamID
    let isLast = header.flags.contains(.remoteClosed)
    let hasMessage = !header.flags.contains(.noData)
    switch running[streamID] {
    case .open:
      if isLast { running[streamID] = .closed }
      if hasMessage { return .deliver(streamID: streamID, isLast: isLast) }
      return isLast ? .endInput(streamID: streamID) : .ignore
    case .single where hasMessage:
      return reject(streamID, .invalidArgument, "data on a call that takes one request")
    case .closed where hasMessage:
      return reject(streamID, .invalidArgument, "data on a stream that its caller has closed")
    case .single, .closed:
      // Who closes in a frame of its own what is closed already does no harm.
      return .ignore
    case nil:
      if streamID % 2 == 1, streamID <= streamIDs.highest {
        // Late data of a call that has ended is dropped. An id that was left out is used up, so that a
        // request that comes after its data is not taken for whole.
        guard streamIDs.take(streamID) else { return .ignore }
      } else {
        guard streamID != lastRefusedData else { return .ignore }
        lastRefusedData = streamID
      }
      return reject(streamID, .invalidArgument, "data on stream \(streamID), never opened")
    }
  }

  private mutating func reject(
    _ streamID: UInt32, _ code: StatusCode, _ message: String
  ) -> FrameAction {
    .reject(
      streamID: streamID, code, message, cancel: running.removeValue(for: streamID) != nil)
  }
}

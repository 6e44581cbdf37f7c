/// What one connection of a server owes its peer: which streams are open, and what each frame means
/// for them. A plain value that neither reads nor writes; ``ServerConnectionHandler`` does that.
///
/// The promise it keeps: exactly one terminal frame for each stream.
struct ServerConnectionState {
  /// What to do about a frame.
  enum FrameAction: Equatable {
    /// Open the call. It counts as running until ``callEnded(_:)``.
    case startCall(streamID: UInt32)
    /// Answer the stream with this status. `cancel`: its call runs; stop it, its answer is not wanted.
    case reject(streamID: UInt32, StatusCode, String, cancel: Bool)
    /// The caller is gone from this stream; stop its call and answer nothing.
    case cancelCall(streamID: UInt32)
    case ignore
  }

  /// What to do with the outcome of a call, or at the end of input.
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

  private let maximumCalls: Int
  private var phase = Phase.open
  private var lastStreamID: UInt32 = 0
  private var running: Set<UInt32> = []

  init(maximumCalls: Int) {
    self.maximumCalls = maximumCalls
  }

  /// Calls that have not had their terminal frame.
  var callsInFlight: Int { running.count }

  /// Whether there is nothing to wait for any more.
  private var isFinished: Bool { phase != .open && running.isEmpty }

  mutating func frameReceived(_ header: FrameHeader) -> FrameAction {
    switch FrameType(rawValue: header.type) {
    case .request: requestReceived(header)
    case .data: dataReceived(header)
    case .cancel:
      running.remove(header.streamID) == nil
        ? .ignore : .cancelCall(streamID: header.streamID)
    case .response, nil: .ignore
    }
  }

  /// A frame above the size limit begins; its payload is not going to be seen.
  mutating func oversizeFrameReceived(_ header: FrameHeader, limit: Int) -> FrameAction {
    let message = "message of \(header.length) bytes exceeds the limit of \(limit)"
    switch FrameType(rawValue: header.type) {
    case .request:
      if let refusal = refusalOfNewStream(header.streamID) { return refusal }
      return reject(header.streamID, .resourceExhausted, message)
    case .data where running.contains(header.streamID):
      return reject(header.streamID, .resourceExhausted, message)
    case .data:
      return dataReceived(header)
    case .response, .cancel, nil:
      return .ignore
    }
  }

  /// The call has an outcome: its handler is done, or its deadline has passed.
  mutating func callEnded(_ streamID: UInt32) -> EndAction {
    let wasRunning = running.remove(streamID) != nil
    switch (wasRunning, isFinished) {
    case (true, false): return .answer
    case (true, true): return .answerThenClose
    case (false, false): return .drop
    case (false, true): return .dropThenClose
    }
  }

  /// The peer closed its end for writing. Returns whether to close the connection now.
  mutating func inputClosed() -> Bool {
    phase = .inputClosed
    return isFinished
  }

  /// The server stops taking calls. Returns whether to close the connection now.
  mutating func drainStarted() -> Bool {
    if phase == .open { phase = .draining }
    return isFinished
  }

  private mutating func requestReceived(_ header: FrameHeader) -> FrameAction {
    if let refusal = refusalOfNewStream(header.streamID) { return refusal }
    guard phase != .draining else {
      return reject(header.streamID, .unavailable, "the server is shutting down")
    }
    guard running.count < maximumCalls else {
      return reject(
        header.streamID, .resourceExhausted,
        "the connection has \(maximumCalls) calls in flight, its limit")
    }
    running.insert(header.streamID)
    return .startCall(streamID: header.streamID)
  }

  /// Why a stream cannot be opened under an id, if it cannot. Otherwise the id is taken.
  private mutating func refusalOfNewStream(_ streamID: UInt32) -> FrameAction? {
    guard streamID % 2 == 1 else {
      return reject(streamID, .invalidArgument, "stream id \(streamID) is not odd")
    }
    guard streamID > lastStreamID else {
      return reject(
        streamID, .invalidArgument, "stream id \(streamID) does not follow \(lastStreamID)")
    }
    lastStreamID = streamID
    return nil
  }

  private mutating func dataReceived(_ header: FrameHeader) -> FrameAction {
    if running.contains(header.streamID) {
      // A caller that closes its side of a unary call in a frame of its own does no harm.
      if header.flags.isSuperset(of: [.remoteClosed, .noData]), header.length == 0 {
        return .ignore
      }
      return reject(header.streamID, .invalidArgument, "data on a call that takes one request")
    }
    let isLate = header.streamID % 2 == 1 && header.streamID <= lastStreamID
    guard !isLate else { return .ignore }
    return reject(
      header.streamID, .invalidArgument, "data on stream \(header.streamID), never opened")
  }

  private mutating func reject(
    _ streamID: UInt32, _ code: StatusCode, _ message: String
  ) -> FrameAction {
    .reject(streamID: streamID, code, message, cancel: running.remove(streamID) != nil)
  }
}

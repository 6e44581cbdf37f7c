/// The state of a ttrpc connection: its open streams, and what each frame means for them.
///
/// It performs no input or output; ``TTRPCConnectionHandler`` does.
///
/// Invariant: each stream has exactly one terminal frame.
struct TTRPCConnectionState {
  /// The action that a frame requires.
  enum FrameAction: Equatable {
    /// Find the request's method and start its call, which is in flight until ``callEnded(_:)``.
    ///
    /// If the method has a stream of requests, ``methodFound(_:shape:flags:payloadLength:)``
    /// interprets the frame.
    case openCall(streamID: UInt32)
    /// Deliver the payload as a message of an open stream, the last one if `isLast` is true.
    case deliver(streamID: UInt32, isLast: Bool)
    /// End the input of a stream: the client sends no more messages.
    case endInput(streamID: UInt32)
    /// Answer the stream with this status.
    ///
    /// If `cancel` is true, the stream's call is in flight: cancel it and discard its outcome.
    case reject(streamID: UInt32, StatusCode, String, cancel: Bool)
    case ignore
  }

  /// The contents of a request that opens a stream of requests.
  struct Opening: Equatable {
    /// A Boolean value that indicates whether the request's payload is a message.
    var hasMessage: Bool
    /// A Boolean value that indicates whether the client sends no more messages.
    var isLast: Bool
  }

  /// The action that the outcome of a call requires.
  enum EndAction: Equatable {
    /// Send the outcome.
    case answer
    /// Send the outcome, then close the connection, which has nothing else to wait for.
    case answerThenClose
    /// Discard the outcome: the stream has had its terminal frame.
    case drop
    /// Discard the outcome, and close the connection, which has nothing else to wait for.
    case dropThenClose
  }

  private enum Phase {
    case open
    /// New calls are refused, calls in flight finish.
    case draining
    /// The peer sends nothing more; calls in flight are still answered.
    case inputClosed
  }

  /// The input that a stream with a call in flight may still receive.
  private enum Input {
    /// None: the method takes a single request.
    case single
    case open
    /// None: the client has closed the stream.
    case closed
  }

  private var phase = Phase.open
  private var streamIDs = StreamIDWindow()
  private var running = StreamTable<Input>()
  /// The unopened stream whose data was last refused, and which has thus had its terminal frame.
  private var lastRefusedData: UInt32?

  /// The number of calls that have not had their terminal frame.
  var callsInFlight: Int { running.count }

  func isRunning(_ streamID: UInt32) -> Bool { running[streamID] != nil }

  /// A Boolean value that indicates whether no calls are in flight and no new ones can come.
  var isFinished: Bool { phase != .open && running.isEmpty }

  mutating func frameReceived(_ header: FrameHeader) -> FrameAction {
    switch FrameType(rawValue: header.type) {
    case .request: requestReceived(header)
    case .data: dataReceived(header)
    case .cancel where isRunning(header.streamID):
      reject(header.streamID, .cancelled, "the client cancelled the call")
    case .cancel, .response, nil: .ignore
    }
  }

  /// Handles the header of a frame above the size limit, whose payload is skipped.
  mutating func oversizeFrameReceived(_ header: FrameHeader, limit: Int) -> FrameAction {
    let message = "message of \(header.length) bytes exceeds the limit of \(limit) bytes"
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

  /// Interprets a request whose method was found, by the method's shape and the frame's flags.
  mutating func methodFound(
    _ streamID: UInt32, shape: CallShape, flags: FrameFlags, payloadLength: Int
  ) -> Opening {
    guard shape.streamsRequests else { return Opening(hasMessage: true, isLast: true) }
    let isLast = flags.contains(.remoteClosed)
    running[streamID] = isLast ? .closed : .open
    // When containerd's client opens a stream, it sends neither data nor the flag for "no data".
    let hasMessage = payloadLength > 0 && !flags.contains(.noData)
    return Opening(hasMessage: hasMessage, isLast: isLast)
  }

  /// Ends a call that has an outcome, because its handler returned or it was ended early.
  mutating func callEnded(_ streamID: UInt32) -> EndAction {
    let wasRunning = running.removeValue(for: streamID) != nil
    switch (wasRunning, isFinished) {
    case (true, false): return .answer
    case (true, true): return .answerThenClose
    case (false, false): return .drop
    case (false, true): return .dropThenClose
    }
  }

  /// Records that the peer closed its end for writing.
  ///
  /// - Returns: The streams of requests that can no longer be completed.
  mutating func inputClosed() -> [UInt32] {
    phase = .inputClosed
    return running.ids { $0 == .open }
  }

  /// Records that the server accepts no more calls.
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

  /// Takes an id for a new stream.
  ///
  /// - Returns: The rejection if the id cannot be used; otherwise `nil`.
  private mutating func refusalOfNewStream(_ streamID: UInt32) -> FrameAction? {
    guard streamID % 2 == 1 else {
      return reject(streamID, .invalidArgument, "stream id \(streamID) is not odd")
    }
    guard streamIDs.take(streamID) else {
      return reject(
        streamID, .invalidArgument,
        "stream id \(streamID) was used before or is at least \(StreamIDWindow.size) odd ids below "
          + "the highest id, \(streamIDs.highest)")
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
      return reject(streamID, .invalidArgument, "data frame for a method with a single request")
    case .closed where hasMessage:
      return reject(streamID, .invalidArgument, "data frame after the client closed the stream")
    case .single, .closed:
      // Closing a stream again, in a frame of its own, does no harm.
      return .ignore
    case nil:
      if streamID % 2 == 1, streamID <= streamIDs.highest {
        // Late data of a call that has ended is ignored. Data for a skipped id uses the id up, so
        // that a request that arrives after its own data is refused, and not taken as complete.
        guard streamIDs.take(streamID) else { return .ignore }
      } else {
        guard streamID != lastRefusedData else { return .ignore }
        lastRefusedData = streamID
      }
      return reject(
        streamID, .invalidArgument, "data frame for stream \(streamID), which was never opened")
    }
  }

  private mutating func reject(
    _ streamID: UInt32, _ code: StatusCode, _ message: String
  ) -> FrameAction {
    .reject(
      streamID: streamID, code, message, cancel: running.removeValue(for: streamID) != nil)
  }
}

/// The stream ids that a client has used on a connection.
///
/// Concurrent calls reach the server out of order if a client takes an id in one step and writes
/// the request in another, as ttrpc-rust's async client does. An id below the highest one is
/// therefore accepted once, if it is one of the last ``size`` odd ids. Older ids count as used.
struct StreamIDWindow {
  /// The number of odd ids in the window, the highest one included.
  ///
  /// It exceeds the default of ``ServerLimits/callsPerConnection``.
  static let size = 4096

  /// The highest used id, or 0 if no id was used.
  private(set) var highest: UInt32 = 0
  /// A bit for each skipped id, at position `id / 2 % size`.
  ///
  /// Empty until an id is skipped, which most clients never do.
  private var skipped: [UInt64] = []

  /// Marks an odd id as used.
  ///
  /// - Returns: False if the id was used before, or is older than the window.
  mutating func take(_ id: UInt32) -> Bool {
    if id > highest {
      skip(to: id)
      highest = id
      return true
    }
    guard highest - id <= 2 * UInt32(Self.size - 1), !skipped.isEmpty else { return false }
    let (word, bit) = Self.position(of: id / 2)
    guard skipped[word] & bit != 0 else { return false }
    skipped[word] &= ~bit
    return true
  }

  /// Marks the ids between the highest one and a new highest one as skipped.
  private mutating func skip(to id: UInt32) {
    let next = highest == 0 ? 0 : highest / 2 + 1
    if skipped.isEmpty {
      guard id / 2 > next else { return }
      skipped = [UInt64](repeating: 0, count: Self.size / 64)
    }
    if id / 2 - next >= UInt32(Self.size) {
      // All ids of the window are above the previous highest one.
      skipped = [UInt64](repeating: .max, count: Self.size / 64)
    } else {
      for number in next..<(id / 2) {
        let (word, bit) = Self.position(of: number)
        skipped[word] |= bit
      }
    }
    let (word, bit) = Self.position(of: id / 2)
    skipped[word] &= ~bit
  }

  private static func position(of number: UInt32) -> (word: Int, bit: UInt64) {
    let position = Int(number) % size
    return (position / 64, 1 << UInt64(position % 64))
  }
}

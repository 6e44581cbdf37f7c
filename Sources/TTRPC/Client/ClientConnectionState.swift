/// The protocol state of a client's connection: a value that does no input or output.
struct ClientConnectionState {
  /// The action that a received frame requires.
  enum FrameAction: Equatable {
    /// The frame ends the call: its payload is a response's envelope.
    case finish(streamID: UInt32)
    /// The payload is a message of a stream, and the last one if `isLast` is true.
    case deliver(streamID: UInt32, isLast: Bool)
    /// The stream of responses ended successfully.
    case endStream(streamID: UInt32)
    /// The frame is not acceptable, and the call fails; `cancel` is true if the peer must be told.
    case fail(streamID: UInt32, StatusCode, String, cancel: Bool)
    /// The frame belongs to no open stream, or its type is unknown here.
    case ignore
  }

  private var nextStreamID: UInt32?
  private var open: [UInt32: CallShape] = [:]

  init(firstStreamID: UInt32 = 1) {
    nextStreamID = firstStreamID
  }

  /// Assigns an id to a call, or returns nil if the connection accepts no more calls.
  ///
  /// A connection that accepts no more calls has to be replaced.
  mutating func callStarted(_ shape: CallShape = .unary) -> UInt32? {
    guard let streamID = nextStreamID else { return nil }
    let (next, overflow) = streamID.addingReportingOverflow(2)
    nextStreamID = overflow ? nil : next
    open[streamID] = shape
    return streamID
  }

  /// Removes a call that its caller no longer waits for.
  ///
  /// - Returns: True if the call was open, so that the peer has to be told.
  mutating func callAbandoned(_ streamID: UInt32) -> Bool {
    open.removeValue(forKey: streamID) != nil
  }

  func isOpen(_ streamID: UInt32) -> Bool { open[streamID] != nil }

  mutating func frameReceived(_ header: FrameHeader) -> FrameAction {
    let streamID = header.streamID
    guard let shape = open[streamID] else { return .ignore }
    switch FrameType(rawValue: header.type) {
    case .response:
      open[streamID] = nil
      return .finish(streamID: streamID)
    case .data where !shape.streamsResponses:
      open[streamID] = nil
      return .fail(
        streamID: streamID, .internalError, "the server sent data on a call with one response",
        cancel: true)
    case .data:
      let isLast = header.flags.contains(.remoteClosed)
      if isLast { open[streamID] = nil }
      guard header.flags.contains(.noData) else {
        return .deliver(streamID: streamID, isLast: isLast)
      }
      return isLast ? .endStream(streamID: streamID) : .ignore
    case .request, .cancel, nil:
      return .ignore
    }
  }

  mutating func oversizeFrameReceived(_ header: FrameHeader, limit: Int) -> FrameAction {
    let isTerminal = FrameType(rawValue: header.type) == .response
    guard open.removeValue(forKey: header.streamID) != nil else { return .ignore }
    return .fail(
      streamID: header.streamID, .resourceExhausted,
      "the response of \(header.length) bytes exceeds the limit of \(limit) bytes",
      cancel: !isTerminal)
  }

  /// Makes the connection accept no more calls; it is finished after its last one.
  mutating func retire() {
    nextStreamID = nil
  }

  /// Removes all calls after the connection was lost.
  ///
  /// - Returns: The ids of the calls that were in flight.
  mutating func connectionClosed() -> [UInt32] {
    defer { open.removeAll() }
    nextStreamID = nil
    return open.keys.sorted()
  }

  /// True if the connection accepts no more calls and has none in flight.
  var isFinished: Bool { nextStreamID == nil && open.isEmpty }
}

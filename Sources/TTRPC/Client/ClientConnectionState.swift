/// What a client knows of its streams on one connection. A plain value that neither reads nor writes.
struct ClientConnectionState {
  /// What a frame means.
  enum FrameAction: Equatable {
    /// The call's terminal frame: its payload is a response's envelope.
    case finish(streamID: UInt32)
    /// The payload is a message of a stream, its last one where it says so.
    case deliver(streamID: UInt32, isLast: Bool)
    /// The stream has ended well.
    case endStream(streamID: UInt32)
    /// The call is over, though the peer has not said so properly. `cancel`: tell it.
    case fail(streamID: UInt32, StatusCode, String, cancel: Bool)
    /// For a stream that is over, or was never there, or of a type that has no meaning.
    case ignore
  }

  private var nextStreamID: UInt32?
  private var open: [UInt32: CallShape] = [:]

  init(firstStreamID: UInt32 = 1) {
    nextStreamID = firstStreamID
  }

  /// Takes an id for a call, or none where the connection takes no more: it is to be replaced.
  mutating func callStarted(_ shape: CallShape = .unary) -> UInt32? {
    guard let streamID = nextStreamID else { return nil }
    let (next, overflow) = streamID.addingReportingOverflow(2)
    nextStreamID = overflow ? nil : next
    open[streamID] = shape
    return streamID
  }

  /// The caller no longer waits. Returns whether the peer needs to be told.
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
      "the answer of \(header.length) bytes exceeds the limit of \(limit)", cancel: !isTerminal)
  }

  /// The connection takes no more calls, and is finished with the last one it has.
  mutating func retire() {
    nextStreamID = nil
  }

  /// The connection is gone. Returns the calls that waited on it.
  mutating func connectionClosed() -> [UInt32] {
    defer { open.removeAll() }
    nextStreamID = nil
    return open.keys.sorted()
  }

  /// Whether the connection takes no more calls and has none to wait for.
  var isFinished: Bool { nextStreamID == nil && open.isEmpty }
}

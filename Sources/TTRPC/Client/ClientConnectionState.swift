/// What a client knows of its streams on one connection. A plain value that neither reads nor writes.
struct ClientConnectionState {
  /// What a frame means.
  enum FrameAction: Equatable {
    /// The call's terminal frame: its payload is a response's envelope.
    case finish(streamID: UInt32)
    /// The call is over, though the peer has not said so properly.
    case fail(streamID: UInt32, StatusCode, String)
    /// For a stream that is over, or was never there, or of a type that has no meaning.
    case ignore
  }

  private var nextStreamID: UInt32?
  private var waiting: Set<UInt32> = []

  init(firstStreamID: UInt32 = 1) {
    nextStreamID = firstStreamID
  }

  /// Takes an id for a call, or none where the connection has no more: it is to be replaced.
  mutating func callStarted() -> UInt32? {
    guard let streamID = nextStreamID else { return nil }
    let (next, overflow) = streamID.addingReportingOverflow(2)
    nextStreamID = overflow ? nil : next
    waiting.insert(streamID)
    return streamID
  }

  /// The caller no longer waits. Returns whether the peer needs to be told.
  mutating func callAbandoned(_ streamID: UInt32) -> Bool {
    waiting.remove(streamID) != nil
  }

  mutating func frameReceived(_ header: FrameHeader) -> FrameAction {
    guard let type = FrameType(rawValue: header.type), type == .response || type == .data,
      waiting.remove(header.streamID) != nil
    else { return .ignore }
    guard type == .response else {
      return .fail(
        streamID: header.streamID, .internalError, "the server sent data on a unary call")
    }
    return .finish(streamID: header.streamID)
  }

  mutating func oversizeFrameReceived(_ header: FrameHeader, limit: Int) -> FrameAction {
    guard waiting.remove(header.streamID) != nil else { return .ignore }
    return .fail(
      streamID: header.streamID, .resourceExhausted,
      "the answer of \(header.length) bytes exceeds the limit of \(limit)")
  }

  /// The connection is gone. Returns the calls that waited on it.
  mutating func connectionClosed() -> [UInt32] {
    defer { waiting.removeAll() }
    nextStreamID = nil
    return waiting.sorted()
  }

  /// Whether the connection takes no more calls and has none to wait for.
  var isFinished: Bool { nextStreamID == nil && waiting.isEmpty }
}

import TestSupport
import Testing

/// A connection to a server, frame by frame, which keeps the books: at its end every stream must have
/// had its one terminal frame, and nothing after it.
actor Conversation {
  private let peer: RawPeer
  private let profile: Profile
  private var sent: [UInt8] = []
  private var received: [Frame] = []
  /// Frames that came while others were waited for, by their streams, and when each came.
  private var unread: [UInt32: ArraySlice<(order: Int, frame: Frame)>] = [:]

  init(path: String, profile: Profile) throws {
    self.peer = try RawPeer(path: path)
    self.profile = profile
  }

  func send(_ frames: Frame...) async throws {
    try await send(bytes: frames.bytes)
  }

  func send(bytes: [UInt8]) async throws {
    sent += bytes
    try await peer.send(bytes)
  }

  /// Sends bytes, and waits until the server has taken them from the socket.
  func sendApart(_ bytes: [UInt8]) async throws {
    try await send(bytes: bytes)
    try await peer.waitUntilRead()
  }

  /// Closes this end for writing.
  func finishSending() { peer.finishSending() }

  /// The next frame of all, or of one stream; nothing where the server has closed.
  func next(on streamID: UInt32? = nil) async throws -> Frame? {
    if let frame = nextUnread(on: streamID) { return frame }
    while let frame = try await receive() {
      if streamID == nil || frame.streamID == streamID { return frame }
      unread[frame.streamID, default: []].append((received.count, frame))
    }
    return nil
  }

  private func nextUnread(on streamID: UInt32?) -> Frame? {
    let first = unread.filter { !$0.value.isEmpty }
      .min { ($0.value.first?.order ?? 0) < ($1.value.first?.order ?? 0) }
    guard let streamID = streamID ?? first?.key else { return nil }
    return unread[streamID]?.popFirst()?.frame
  }

  private func receive() async throws -> Frame? {
    guard let bytes = try await peer.receiveFrame() else { return nil }
    guard let frame = Frame(bytes) else {
      throw RawPeer.Failure(description: "half a frame: \(bytes.count) bytes")
    }
    received.append(frame)
    return frame
  }

  /// Holds what comes next against these bytes.
  func expect(
    _ bytes: [UInt8], _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    var got: [Frame] = []
    let expected = Frame.all(in: bytes)
    while got.count < expected.count, let frame = try await next() { got.append(frame) }
    #expect(got == expected, comment, sourceLocation: sourceLocation)
  }

  func expect(
    _ frames: Frame..., sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await expect(frames.bytes, sourceLocation: sourceLocation)
  }

  /// The answer that comes next on a stream.
  func answer(
    on streamID: UInt32, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> Answer {
    let frame = try await next(on: streamID)
    return try Answer(try #require(frame, "closed", sourceLocation: sourceLocation))
  }

  /// Holds the answer that comes next on a stream against a status' code.
  func expect(
    code: Int64, on streamID: UInt32, _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let answer = try await answer(on: streamID, sourceLocation: sourceLocation)
    let message = Comment(rawValue: "\(comment?.rawValue ?? "") (\(answer.message))")
    #expect(answer.code == code, message, sourceLocation: sourceLocation)
  }

  /// Makes a call that succeeds, so that all that was sent before has been read and understood.
  func proveAlive(
    as streamID: UInt32, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await send(.request(streamID, "Echo", Proto.integer(1, 6)))
    let answer = try await answer(on: streamID, sourceLocation: sourceLocation)
    #expect(try answer.number == 7, sourceLocation: sourceLocation)
  }

  /// Holds that the server closes, and that nothing comes before.
  func expectClosed(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let frame = try await next()
    #expect(frame == nil, sourceLocation: sourceLocation)
  }

  /// Closes this end for writing, takes what is still to come, and looks at the books.
  ///
  /// - Parameter isCut: The server closes without answering what runs.
  func finish(
    isCut: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    peer.finishSending()
    while try await receive() != nil {}
    audit(isCut: isCut || profile.cutsAtHalfClose, sourceLocation)
  }

  private func audit(isCut: Bool, _ sourceLocation: SourceLocation) {
    // Every request may be answered, also one that repeats an id, and data for a stream that never was.
    var mayEnd: [UInt32: Int] = [:]
    var mustEnd: Set<UInt32> = []
    for frame in Frame.all(in: sent) {
      if frame.type == 1 {
        mayEnd[frame.streamID, default: 0] += 1
        mustEnd.insert(frame.streamID)
      } else if frame.type == 3, mayEnd[frame.streamID] == nil {
        mayEnd[frame.streamID] = 1
      }
    }
    for frame in received {
      let left = mayEnd[frame.streamID, default: 0]
      #expect(left > 0, "after the end: \(frame)", sourceLocation: sourceLocation)
      if frame.isTerminal {
        mayEnd[frame.streamID] = left - 1
        mustEnd.remove(frame.streamID)
      }
    }
    if !isCut {
      #expect(mustEnd.isEmpty, "without an end", sourceLocation: sourceLocation)
    }
  }
}

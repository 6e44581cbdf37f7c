import TestSupport
import Testing

/// A connection to a server that records all frames and checks how streams end.
///
/// When it finishes, every stream must have received one terminal frame, and nothing after it.
actor Conversation {
  private let peer: RawPeer
  private let profile: Profile
  private var sent: [UInt8] = []
  private var received: [Frame] = []
  /// Frames that arrived while another stream was read, by stream, with their order of arrival.
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

  /// Sends bytes, and waits until the server has read them from the socket.
  func sendSeparately(_ bytes: [UInt8]) async throws {
    try await send(bytes: bytes)
    try await peer.waitUntilRead()
  }

  /// Closes this end for writing.
  func finishSending() { peer.finishSending() }

  /// Receives the next frame, of any stream or of the given one.
  ///
  /// - Returns: The frame, or nil if the server has closed the connection.
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
      throw RawPeer.Failure(
        description: "the connection ended after \(bytes.count) bytes of a frame")
    }
    received.append(frame)
    return frame
  }

  /// Expects the server to send exactly these bytes next.
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

  /// Receives the next answer on a stream.
  func answer(
    on streamID: UInt32, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> Answer {
    let frame = try await next(on: streamID)
    return try Answer(
      try #require(frame, "the connection is closed", sourceLocation: sourceLocation))
  }

  /// Expects the next answer on a stream to have a status code.
  func expect(
    code: Int64, on streamID: UInt32, _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let answer = try await answer(on: streamID, sourceLocation: sourceLocation)
    let message = Comment(rawValue: "\(comment?.rawValue ?? "") (\(answer.message))")
    #expect(answer.code == code, message, sourceLocation: sourceLocation)
  }

  /// Makes a call that must succeed, which shows that the server has processed all earlier bytes.
  func proveAlive(
    as streamID: UInt32, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await send(.request(streamID, "Echo", Proto.integer(1, 6)))
    let answer = try await answer(on: streamID, sourceLocation: sourceLocation)
    #expect(try answer.number == 7, sourceLocation: sourceLocation)
  }

  /// Expects the server to close the connection without another frame.
  func expectClosed(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let frame = try await next()
    #expect(frame == nil, sourceLocation: sourceLocation)
  }

  /// Closes this end for writing, receives the remaining frames, and checks how streams ended.
  ///
  /// - Parameter isCut: True if the server may close without answering the calls in flight.
  func finish(
    isCut: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    peer.finishSending()
    while try await receive() != nil {}
    audit(isCut: isCut || profile.cutsAtHalfClose, sourceLocation)
  }

  private func audit(isCut: Bool, _ sourceLocation: SourceLocation) {
    // Each request allows one terminal frame, even if it repeats an id. So does the first data
    // frame of an unopened stream.
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
      #expect(
        left > 0, "a frame after the end of its stream: \(frame)", sourceLocation: sourceLocation)
      if frame.isTerminal {
        mayEnd[frame.streamID] = left - 1
        mustEnd.remove(frame.streamID)
      }
    }
    if !isCut {
      #expect(
        mustEnd.isEmpty, "some streams have no terminal frame", sourceLocation: sourceLocation)
    }
  }
}

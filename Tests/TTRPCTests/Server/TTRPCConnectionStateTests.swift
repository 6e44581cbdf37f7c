import Testing

@testable import TTRPC

/// The server's protocol state: the action for each received frame.
@Suite struct TTRPCConnectionStateTests {
  /// The state behind a reference, because `#expect` cannot call mutating methods.
  private final class Machine {
    private var state = TTRPCConnectionState()

    var callsInFlight: Int { state.callsInFlight }

    func frameReceived(_ header: FrameHeader) -> TTRPCConnectionState.FrameAction {
      state.frameReceived(header)
    }

    func oversizeFrameReceived(
      _ header: FrameHeader, limit: Int
    ) -> TTRPCConnectionState.FrameAction {
      state.oversizeFrameReceived(header, limit: limit)
    }

    func callEnded(_ streamID: UInt32) -> TTRPCConnectionState.EndAction {
      state.callEnded(streamID)
    }

    func methodFound(
      _ streamID: UInt32, _ shape: CallShape, flags: FrameFlags = [.remoteOpen, .noData],
      payloadLength: Int = 0
    ) -> TTRPCConnectionState.Opening {
      state.methodFound(streamID, shape: shape, flags: flags, payloadLength: payloadLength)
    }

    /// Ends the input, and returns true if the connection must be closed now.
    func inputClosed() -> Bool {
      #expect(state.inputClosed() == [])
      return state.isFinished
    }

    /// Ends the input, and returns the streams that the client had not closed.
    func unfinishedStreams() -> [UInt32] { state.inputClosed() }

    /// Starts the drain, and returns true if the connection must be closed now.
    func drainStarted() -> Bool {
      state.drainStarted()
      return state.isFinished
    }
  }

  private static func request(_ streamID: UInt32) -> FrameHeader {
    FrameHeader(length: 0, streamID: streamID, type: 1, flags: [])
  }

  private static func data(_ streamID: UInt32, flags: FrameFlags = [], length: UInt32 = 1)
    -> FrameHeader
  {
    FrameHeader(length: length, streamID: streamID, type: 3, flags: flags)
  }

  private static func cancel(_ streamID: UInt32) -> FrameHeader {
    FrameHeader(length: 0, streamID: streamID, type: 4, flags: [])
  }

  /// The status code of a refused frame; nil if the frame is accepted.
  private static func refusal(
    _ action: TTRPCConnectionState.FrameAction
  ) -> (code: StatusCode, cancel: Bool)? {
    if case .reject(_, let code, _, let cancel) = action { (code, cancel) } else { nil }
  }

  @Test func `odd rising ids open calls, with or without gaps`() {
    let state = Machine()
    for streamID: UInt32 in [1, 3, 101, 4_294_967_295] {
      #expect(state.frameReceived(Self.request(streamID)) == .openCall(streamID: streamID))
    }
    #expect(state.callsInFlight == 4)
  }

  @Test(arguments: [0, 2, 4_294_967_294] as [UInt32])
  func `even ids and zero are refused`(streamID: UInt32) {
    let state = Machine()
    #expect(Self.refusal(state.frameReceived(Self.request(streamID)))?.code == .invalidArgument)
    #expect(state.frameReceived(Self.request(1)) == .openCall(streamID: 1))
  }

  @Test func `an id below the highest opens a call once, if it is within the window`() throws {
    let state = Machine()
    let highest = 2 * UInt32(StreamIDWindow.size) + 5
    #expect(state.frameReceived(Self.request(7)) == .openCall(streamID: 7))
    #expect(state.frameReceived(Self.request(highest)) == .openCall(streamID: highest))
    #expect(state.callEnded(7) == .answer)
    #expect(state.callEnded(highest) == .answer)
    #expect(state.frameReceived(Self.request(9)) == .openCall(streamID: 9))
    #expect(state.callEnded(9) == .answer)
    for streamID: UInt32 in [highest, 9, 7, 5] {
      let refusal = try #require(Self.refusal(state.frameReceived(Self.request(streamID))))
      #expect(refusal == (.invalidArgument, false))
    }
  }

  @Test func `data for a skipped id is refused once, and the id counts as used`() throws {
    let state = Machine()
    #expect(state.frameReceived(Self.request(5)) == .openCall(streamID: 5))
    #expect(Self.refusal(state.frameReceived(Self.data(3)))?.code == .invalidArgument)
    #expect(state.frameReceived(Self.data(3)) == .ignore)
    #expect(Self.refusal(state.frameReceived(Self.request(3)))?.code == .invalidArgument)
    #expect(state.callsInFlight == 1)
  }

  @Test func `a running call whose id is reused ends with one terminal frame`() throws {
    let state = Machine()
    #expect(state.frameReceived(Self.request(1)) == .openCall(streamID: 1))
    let refusal = try #require(Self.refusal(state.frameReceived(Self.request(1))))
    #expect(refusal == (.invalidArgument, true))
    #expect(state.callEnded(1) == .drop)
    #expect(state.callsInFlight == 0)
  }

  @Test func `data on a running unary call ends that call only`() throws {
    let state = Machine()
    #expect(state.frameReceived(Self.request(1)) == .openCall(streamID: 1))
    #expect(state.frameReceived(Self.request(3)) == .openCall(streamID: 3))
    let refusal = try #require(Self.refusal(state.frameReceived(Self.data(1))))
    #expect(refusal == (.invalidArgument, true))
    #expect(state.callEnded(1) == .drop)
    #expect(state.callEnded(3) == .answer)
  }

  @Test func `a frame that closes the client side of a unary call is ignored`() {
    let state = Machine()
    #expect(state.frameReceived(Self.request(1)) == .openCall(streamID: 1))
    let closing = Self.data(1, flags: [.remoteClosed, .noData], length: 0)
    #expect(state.frameReceived(closing) == .ignore)
    #expect(state.callEnded(1) == .answer)
  }

  @Test func `data is ignored for an ended stream and refused for an unopened one`() {
    let state = Machine()
    #expect(state.frameReceived(Self.request(3)) == .openCall(streamID: 3))
    #expect(state.callEnded(3) == .answer)
    #expect(state.frameReceived(Self.data(3)) == .ignore)
    for streamID: UInt32 in [0, 2, 5] {
      #expect(Self.refusal(state.frameReceived(Self.data(streamID)))?.code == .invalidArgument)
    }
  }

  @Test(arguments: [0, 2, 5, 9, 255] as [UInt8])
  func `frames of other types are ignored`(type: UInt8) {
    let state = Machine()
    let frame = FrameHeader(length: 3, streamID: 1, type: type, flags: [])
    #expect(state.frameReceived(frame) == .ignore)
    #expect(state.oversizeFrameReceived(frame, limit: 1) == .ignore)
  }

  @Test func `a cancel frame ends a running call once`() throws {
    let state = Machine()
    #expect(state.frameReceived(Self.cancel(1)) == .ignore)
    #expect(state.frameReceived(Self.request(1)) == .openCall(streamID: 1))
    let refusal = try #require(Self.refusal(state.frameReceived(Self.cancel(1))))
    #expect(refusal == (.cancelled, true))
    #expect(state.callEnded(1) == .drop)
    #expect(state.frameReceived(Self.cancel(1)) == .ignore)
  }

  @Test func `an oversize request is refused, and its id counts as used`() {
    let state = Machine()
    let oversize = FrameHeader(length: 9, streamID: 1, type: 1, flags: [])
    #expect(
      Self.refusal(state.oversizeFrameReceived(oversize, limit: 8))?.code == .resourceExhausted)
    #expect(Self.refusal(state.frameReceived(Self.request(1)))?.code == .invalidArgument)
    #expect(state.frameReceived(Self.request(3)) == .openCall(streamID: 3))
    #expect(state.callsInFlight == 1)
  }

  @Test func `a half-closed peer receives its remaining answers`() {
    let state = Machine()
    #expect(state.frameReceived(Self.request(1)) == .openCall(streamID: 1))
    #expect(state.frameReceived(Self.request(3)) == .openCall(streamID: 3))
    #expect(!state.inputClosed())
    #expect(state.callEnded(3) == .answer)
    #expect(state.callEnded(1) == .answerThenClose)
  }

  @Test func `a half-closed connection without calls is closed`() {
    let state = Machine()
    #expect(state.inputClosed())
  }

  @Test func `a drain refuses new calls and answers running ones`() {
    let state = Machine()
    #expect(state.frameReceived(Self.request(1)) == .openCall(streamID: 1))
    #expect(!state.drainStarted())
    #expect(Self.refusal(state.frameReceived(Self.request(3)))?.code == .unavailable)
    #expect(state.callEnded(1) == .answerThenClose)
  }

  @Test func `a drain closes an idle connection at once`() {
    let state = Machine()
    #expect(state.frameReceived(Self.request(1)) == .openCall(streamID: 1))
    #expect(state.callEnded(1) == .answer)
    #expect(state.drainStarted())
  }

  @Test func `the call shape decides if a request has a message and if it is the last`() {
    typealias Opening = TTRPCConnectionState.Opening
    let empty: FrameFlags = []
    let cases: [(shape: CallShape, flags: FrameFlags, length: Int, opening: Opening)] = [
      (.unary, empty, 3, Opening(hasMessage: true, isLast: true)),
      (.unary, [.remoteOpen, .noData], 0, Opening(hasMessage: true, isLast: true)),
      (.serverStreaming, .remoteClosed, 0, Opening(hasMessage: true, isLast: true)),
      (.serverStreaming, .remoteOpen, 3, Opening(hasMessage: true, isLast: true)),
      (.clientStreaming, [.remoteOpen, .noData], 0, Opening(hasMessage: false, isLast: false)),
      (.clientStreaming, .remoteOpen, 0, Opening(hasMessage: false, isLast: false)),
      (.bidirectional, .remoteOpen, 3, Opening(hasMessage: true, isLast: false)),
      (.bidirectional, .remoteClosed, 3, Opening(hasMessage: true, isLast: true)),
      (.bidirectional, .remoteClosed, 0, Opening(hasMessage: false, isLast: true)),
    ]
    for (shape, flags, length, opening) in cases {
      let state = Machine()
      #expect(state.frameReceived(Self.request(1)) == .openCall(streamID: 1))
      let found = state.methodFound(1, shape, flags: flags, payloadLength: length)
      #expect(found == opening, "\(shape) \(flags.rawValue) \(length)")
    }
  }

  @Test func `stream messages are delivered until the client closes its side`() throws {
    let state = Machine()
    #expect(state.frameReceived(Self.request(1)) == .openCall(streamID: 1))
    _ = state.methodFound(1, .bidirectional)
    #expect(state.frameReceived(Self.data(1)) == .deliver(streamID: 1, isLast: false))
    #expect(state.frameReceived(Self.data(1, length: 0)) == .deliver(streamID: 1, isLast: false))
    #expect(state.frameReceived(Self.data(1, flags: .noData, length: 0)) == .ignore)
    let end = Self.data(1, flags: [.remoteClosed, .noData], length: 0)
    #expect(state.frameReceived(end) == .endInput(streamID: 1))
    #expect(state.frameReceived(end) == .ignore)
    let refusal = try #require(Self.refusal(state.frameReceived(Self.data(1))))
    #expect(refusal == (.invalidArgument, true))
  }

  @Test func `a message with the closing flag is the last one`() {
    let state = Machine()
    #expect(state.frameReceived(Self.request(1)) == .openCall(streamID: 1))
    _ = state.methodFound(1, .clientStreaming)
    let last = Self.data(1, flags: .remoteClosed)
    #expect(state.frameReceived(last) == .deliver(streamID: 1, isLast: true))
    #expect(state.callEnded(1) == .answer)
    #expect(state.frameReceived(last) == .ignore)
  }

  @Test func `the end of input ends streams that the client had not closed`() {
    let state = Machine()
    for streamID: UInt32 in [1, 3, 5] {
      #expect(state.frameReceived(Self.request(streamID)) == .openCall(streamID: streamID))
    }
    _ = state.methodFound(1, .clientStreaming)
    _ = state.methodFound(3, .serverStreaming, flags: .remoteClosed)
    _ = state.methodFound(5, .bidirectional, flags: .remoteClosed)
    #expect(state.unfinishedStreams() == [1])
  }

  @Test func `data for an unopened stream is refused once, and the stream can still open`() {
    let state = Machine()
    #expect(Self.refusal(state.frameReceived(Self.data(7))) != nil)
    #expect(state.frameReceived(Self.data(7)) == .ignore)
    #expect(state.frameReceived(Self.request(7)) == .openCall(streamID: 7))
  }
}

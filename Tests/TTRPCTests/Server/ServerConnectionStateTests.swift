import Testing

@testable import TTRPC

/// The protocol as a table: what comes in, and what has to be done about it.
@Suite struct ServerConnectionStateTests {
  /// The state behind a reference, since an expectation cannot change what it looks at.
  private final class Machine {
    private var state: ServerConnectionState

    init(maximumCalls: Int) {
      state = ServerConnectionState(maximumCalls: maximumCalls)
    }

    var callsInFlight: Int { state.callsInFlight }

    func frameReceived(_ header: FrameHeader) -> ServerConnectionState.FrameAction {
      state.frameReceived(header)
    }

    func oversizeFrameReceived(
      _ header: FrameHeader, limit: Int
    ) -> ServerConnectionState.FrameAction {
      state.oversizeFrameReceived(header, limit: limit)
    }

    func callEnded(_ streamID: UInt32) -> ServerConnectionState.EndAction {
      state.callEnded(streamID)
    }

    func inputClosed() -> Bool { state.inputClosed() }

    func drainStarted() -> Bool { state.drainStarted() }
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

  /// The code with which a frame is refused, if it is.
  private static func refusal(
    _ action: ServerConnectionState.FrameAction
  ) -> (code: StatusCode, cancel: Bool)? {
    if case .reject(_, let code, _, let cancel) = action { (code, cancel) } else { nil }
  }

  @Test func oddRisingIdsOpenCallsAndGapsAreAllowed() {
    let state = Machine(maximumCalls: 10)
    for streamID: UInt32 in [1, 3, 101, 4_294_967_295] {
      #expect(state.frameReceived(Self.request(streamID)) == .startCall(streamID: streamID))
    }
    #expect(state.callsInFlight == 4)
  }

  @Test(arguments: [0, 2, 4_294_967_294] as [UInt32])
  func evenAndZeroIdsAreRefused(streamID: UInt32) {
    let state = Machine(maximumCalls: 10)
    #expect(Self.refusal(state.frameReceived(Self.request(streamID)))?.code == .invalidArgument)
    #expect(state.frameReceived(Self.request(1)) == .startCall(streamID: 1))
  }

  @Test func anIdThatIsLowerOrWasUsedIsRefused() throws {
    let state = Machine(maximumCalls: 10)
    #expect(state.frameReceived(Self.request(5)) == .startCall(streamID: 5))
    #expect(state.callEnded(5) == .answer)
    for streamID: UInt32 in [5, 3] {
      let refusal = try #require(Self.refusal(state.frameReceived(Self.request(streamID))))
      #expect(refusal == (.invalidArgument, false))
    }
  }

  @Test func aRunningCallWhoseIdIsUsedAgainHasOneTerminalFrame() throws {
    let state = Machine(maximumCalls: 10)
    #expect(state.frameReceived(Self.request(1)) == .startCall(streamID: 1))
    let refusal = try #require(Self.refusal(state.frameReceived(Self.request(1))))
    #expect(refusal == (.invalidArgument, true))
    #expect(state.callEnded(1) == .drop)
    #expect(state.callsInFlight == 0)
  }

  @Test func dataOnARunningUnaryCallEndsThatCallAndNoOther() throws {
    let state = Machine(maximumCalls: 10)
    #expect(state.frameReceived(Self.request(1)) == .startCall(streamID: 1))
    #expect(state.frameReceived(Self.request(3)) == .startCall(streamID: 3))
    let refusal = try #require(Self.refusal(state.frameReceived(Self.data(1))))
    #expect(refusal == (.invalidArgument, true))
    #expect(state.callEnded(1) == .drop)
    #expect(state.callEnded(3) == .answer)
  }

  @Test func closingOnesSideOfAUnaryCallDoesNoHarm() {
    let state = Machine(maximumCalls: 10)
    #expect(state.frameReceived(Self.request(1)) == .startCall(streamID: 1))
    let closing = Self.data(1, flags: [.remoteClosed, .noData], length: 0)
    #expect(state.frameReceived(closing) == .ignore)
    #expect(state.callEnded(1) == .answer)
  }

  @Test func dataForAStreamThatEndedIsDroppedAndForOneNeverOpenedRefused() {
    let state = Machine(maximumCalls: 10)
    #expect(state.frameReceived(Self.request(3)) == .startCall(streamID: 3))
    #expect(state.callEnded(3) == .answer)
    #expect(state.frameReceived(Self.data(3)) == .ignore)
    for streamID: UInt32 in [0, 2, 5] {
      #expect(Self.refusal(state.frameReceived(Self.data(streamID)))?.code == .invalidArgument)
    }
  }

  @Test(arguments: [0, 2, 5, 9, 255] as [UInt8])
  func otherTypesAreIgnored(type: UInt8) {
    let state = Machine(maximumCalls: 10)
    let frame = FrameHeader(length: 3, streamID: 1, type: type, flags: [])
    #expect(state.frameReceived(frame) == .ignore)
    #expect(state.oversizeFrameReceived(frame, limit: 1) == .ignore)
  }

  @Test func cancelStopsARunningCallWithoutAnAnswer() {
    let state = Machine(maximumCalls: 10)
    #expect(state.frameReceived(Self.cancel(1)) == .ignore)
    #expect(state.frameReceived(Self.request(1)) == .startCall(streamID: 1))
    #expect(state.frameReceived(Self.cancel(1)) == .cancelCall(streamID: 1))
    #expect(state.callEnded(1) == .drop)
    #expect(state.frameReceived(Self.cancel(1)) == .ignore)
  }

  @Test func anOversizeRequestIsRefusedAndItsIdIsTaken() {
    let state = Machine(maximumCalls: 10)
    let oversize = FrameHeader(length: 9, streamID: 1, type: 1, flags: [])
    #expect(
      Self.refusal(state.oversizeFrameReceived(oversize, limit: 8))?.code == .resourceExhausted)
    #expect(Self.refusal(state.frameReceived(Self.request(1)))?.code == .invalidArgument)
    #expect(state.frameReceived(Self.request(3)) == .startCall(streamID: 3))
    #expect(state.callsInFlight == 1)
  }

  @Test func callsAboveTheLimitAreRefusedUntilOneEnds() {
    let state = Machine(maximumCalls: 2)
    #expect(state.frameReceived(Self.request(1)) == .startCall(streamID: 1))
    #expect(state.frameReceived(Self.request(3)) == .startCall(streamID: 3))
    #expect(Self.refusal(state.frameReceived(Self.request(5)))?.code == .resourceExhausted)
    #expect(state.callEnded(1) == .answer)
    #expect(state.frameReceived(Self.request(7)) == .startCall(streamID: 7))
  }

  @Test func aHalfClosedPeerStillGetsItsAnswers() {
    let state = Machine(maximumCalls: 10)
    #expect(state.frameReceived(Self.request(1)) == .startCall(streamID: 1))
    #expect(state.frameReceived(Self.request(3)) == .startCall(streamID: 3))
    #expect(!state.inputClosed())
    #expect(state.callEnded(3) == .answer)
    #expect(state.callEnded(1) == .answerThenClose)
  }

  @Test func aHalfClosedPeerWithoutCallsIsClosed() {
    let state = Machine(maximumCalls: 10)
    #expect(state.inputClosed())
  }

  @Test func drainingRefusesNewCallsAndAnswersRunningOnes() {
    let state = Machine(maximumCalls: 10)
    #expect(state.frameReceived(Self.request(1)) == .startCall(streamID: 1))
    #expect(!state.drainStarted())
    #expect(Self.refusal(state.frameReceived(Self.request(3)))?.code == .unavailable)
    #expect(state.callEnded(1) == .answerThenClose)
  }

  @Test func drainingClosesAQuietConnectionAtOnce() {
    let state = Machine(maximumCalls: 10)
    #expect(state.frameReceived(Self.request(1)) == .startCall(streamID: 1))
    #expect(state.callEnded(1) == .answer)
    #expect(state.drainStarted())
  }
}

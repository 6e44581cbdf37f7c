import Testing

@testable import TTRPC

@Suite struct ClientConnectionStateTests {
  /// The state behind a reference, since an expectation cannot change what it looks at.
  private final class Machine {
    private var state: ClientConnectionState

    init(firstStreamID: UInt32 = 1) {
      state = ClientConnectionState(firstStreamID: firstStreamID)
    }

    var isFinished: Bool { state.isFinished }

    func callStarted() -> UInt32? { state.callStarted() }

    func callAbandoned(_ streamID: UInt32) -> Bool { state.callAbandoned(streamID) }

    func frameReceived(_ header: FrameHeader) -> ClientConnectionState.FrameAction {
      state.frameReceived(header)
    }

    func oversizeFrameReceived(
      _ header: FrameHeader, limit: Int
    ) -> ClientConnectionState.FrameAction {
      state.oversizeFrameReceived(header, limit: limit)
    }

    func connectionClosed() -> [UInt32] { state.connectionClosed() }
  }

  private static func frame(_ streamID: UInt32, _ type: FrameType) -> FrameHeader {
    FrameHeader(length: 0, streamID: streamID, type: type.rawValue, flags: [])
  }

  @Test func idsAreOddAndRise() {
    let state = Machine()
    #expect((0..<4).map { _ in state.callStarted() } == [1, 3, 5, 7])
  }

  @Test func theLastIdIsUsedAndThenTheConnectionIsToBeReplaced() {
    let state = Machine(firstStreamID: .max - 2)
    #expect(state.callStarted() == UInt32.max - 2)
    #expect(state.callStarted() == UInt32.max)
    #expect(state.callStarted() == nil)
    #expect(!state.isFinished)
    #expect(state.frameReceived(Self.frame(.max, .response)) == .finish(streamID: .max))
    #expect(state.frameReceived(Self.frame(.max - 2, .response)) == .finish(streamID: .max - 2))
    #expect(state.isFinished)
  }

  @Test func aCallIsFinishedOnce() {
    let state = Machine()
    #expect(state.callStarted() == 1)
    #expect(state.frameReceived(Self.frame(1, .response)) == .finish(streamID: 1))
    #expect(state.frameReceived(Self.frame(1, .response)) == .ignore)
  }

  @Test func framesForUnknownStreamsAreIgnored() {
    let state = Machine()
    for streamID: UInt32 in [0, 1, 2, 99] {
      #expect(state.frameReceived(Self.frame(streamID, .response)) == .ignore)
      #expect(state.frameReceived(Self.frame(streamID, .data)) == .ignore)
    }
  }

  @Test func anAnswerToAnAbandonedCallIsIgnored() {
    let state = Machine()
    #expect(state.callStarted() == 1)
    #expect(state.callAbandoned(1))
    #expect(!state.callAbandoned(1))
    #expect(state.frameReceived(Self.frame(1, .response)) == .ignore)
  }

  @Test func dataAndOversizeAnswersFailTheirCallAlone() {
    let state = Machine()
    #expect([state.callStarted(), state.callStarted(), state.callStarted()] == [1, 3, 5])
    guard case .fail(1, .internalError, _) = state.frameReceived(Self.frame(1, .data)) else {
      Issue.record("data on a unary call")
      return
    }
    let oversize = FrameHeader(length: 9, streamID: 3, type: 2, flags: [])
    guard case .fail(3, .resourceExhausted, _) = state.oversizeFrameReceived(oversize, limit: 8)
    else {
      Issue.record("an oversize answer")
      return
    }
    #expect(state.frameReceived(Self.frame(5, .response)) == .finish(streamID: 5))
  }

  @Test func aLostConnectionFailsAllThatWait() {
    let state = Machine()
    #expect([state.callStarted(), state.callStarted()] == [1, 3])
    #expect(state.callAbandoned(1))
    #expect(state.connectionClosed() == [3])
    #expect(state.connectionClosed() == [])
    #expect(state.callStarted() == nil)
  }
}

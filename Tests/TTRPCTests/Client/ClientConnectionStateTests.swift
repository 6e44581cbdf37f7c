import Testing

@testable import TTRPC

@Suite struct ClientConnectionStateTests {
  /// The state behind a reference, because `#expect` cannot call mutating methods.
  private final class Machine {
    private var state: ClientConnectionState

    init(firstStreamID: UInt32 = 1) {
      state = ClientConnectionState(firstStreamID: firstStreamID)
    }

    var isFinished: Bool { state.isFinished }

    func callStarted(_ shape: CallShape = .unary) -> UInt32? { state.callStarted(shape) }

    func retire() { state.retire() }

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

  @Test func `stream ids are odd and rise`() {
    let state = Machine()
    #expect((0..<4).map { _ in state.callStarted() } == [1, 3, 5, 7])
  }

  @Test func `after the last stream id, the connection finishes its calls and takes no more`() {
    let state = Machine(firstStreamID: .max - 2)
    #expect(state.callStarted() == UInt32.max - 2)
    #expect(state.callStarted() == UInt32.max)
    #expect(state.callStarted() == nil)
    #expect(!state.isFinished)
    #expect(state.frameReceived(Self.frame(.max, .response)) == .finish(streamID: .max))
    #expect(state.frameReceived(Self.frame(.max - 2, .response)) == .finish(streamID: .max - 2))
    #expect(state.isFinished)
  }

  @Test func `a call finishes once`() {
    let state = Machine()
    #expect(state.callStarted() == 1)
    #expect(state.frameReceived(Self.frame(1, .response)) == .finish(streamID: 1))
    #expect(state.frameReceived(Self.frame(1, .response)) == .ignore)
  }

  @Test func `frames for unknown streams are ignored`() {
    let state = Machine()
    for streamID: UInt32 in [0, 1, 2, 99] {
      #expect(state.frameReceived(Self.frame(streamID, .response)) == .ignore)
      #expect(state.frameReceived(Self.frame(streamID, .data)) == .ignore)
    }
  }

  @Test func `the answer to an abandoned call is ignored`() {
    let state = Machine()
    #expect(state.callStarted() == 1)
    #expect(state.callAbandoned(1))
    #expect(!state.callAbandoned(1))
    #expect(state.frameReceived(Self.frame(1, .response)) == .ignore)
  }

  @Test func `unexpected data and oversize answers fail their own call only`() {
    let state = Machine()
    #expect([state.callStarted(), state.callStarted(), state.callStarted()] == [1, 3, 5])
    guard case .fail(1, .internalError, _, cancel: true) = state.frameReceived(Self.frame(1, .data))
    else {
      Issue.record("data on a unary call did not fail it")
      return
    }
    let oversize = FrameHeader(length: 9, streamID: 3, type: 2, flags: [])
    guard
      case .fail(3, .resourceExhausted, _, cancel: false) = state.oversizeFrameReceived(
        oversize, limit: 8)
    else {
      Issue.record("an oversize answer did not fail its call")
      return
    }
    #expect(state.frameReceived(Self.frame(5, .response)) == .finish(streamID: 5))
  }

  @Test func `a lost connection fails all waiting calls`() {
    let state = Machine()
    #expect([state.callStarted(), state.callStarted()] == [1, 3])
    #expect(state.callAbandoned(1))
    #expect(state.connectionClosed() == [3])
    #expect(state.connectionClosed() == [])
    #expect(state.callStarted() == nil)
  }

  @Test func `stream messages are delivered until the server ends the stream`() {
    let state = Machine()
    #expect(state.callStarted(.serverStreaming) == 1)
    #expect(state.frameReceived(Self.frame(1, .data)) == .deliver(streamID: 1, isLast: false))
    let nothing = FrameHeader(length: 0, streamID: 1, type: 3, flags: .noData)
    #expect(state.frameReceived(nothing) == .ignore)
    #expect(state.frameReceived(.endOfStream(1)) == .endStream(streamID: 1))
    #expect(state.frameReceived(Self.frame(1, .data)) == .ignore)
    #expect(!state.callAbandoned(1))
  }

  @Test func `a message with the closing flag ends a stream, and so does a status`() {
    let state = Machine()
    #expect([state.callStarted(.bidirectional), state.callStarted(.bidirectional)] == [1, 3])
    let last = FrameHeader(length: 1, streamID: 1, type: 3, flags: .remoteClosed)
    #expect(state.frameReceived(last) == .deliver(streamID: 1, isLast: true))
    #expect(state.frameReceived(Self.frame(3, .response)) == .finish(streamID: 3))
  }

  @Test func `data on a call with a single response is an error`() {
    let state = Machine()
    #expect(state.callStarted(.clientStreaming) == 1)
    guard case .fail(1, .internalError, _, cancel: true) = state.frameReceived(Self.frame(1, .data))
    else {
      Issue.record("data on a call with a single response did not fail it")
      return
    }
  }

  @Test func `a retired connection finishes its calls and takes no more`() {
    let state = Machine()
    #expect(state.callStarted() == 1)
    state.retire()
    #expect(state.callStarted() == nil)
    #expect(!state.isFinished)
    #expect(state.frameReceived(Self.frame(1, .response)) == .finish(streamID: 1))
    #expect(state.isFinished)
  }
}

import Logging
import NIOCore
import NIOEmbedded
import ProtobufC
import TestSupport
import Testing

@testable import TTRPC

/// Streams whose messages arrive faster than their handlers read them.
@Suite(.timeLimit(.minutes(15))) struct SlowReaderTests {
  private static var limits: ServerLimits {
    var limits = ServerLimits.patient
    limits.wire = WireLimits(maximumMessageSize: 65_536)
    limits.queuedBytesPerStream = 262_144
    limits.busyPollTime = .zero
    return limits
  }

  private static func open(_ streamID: UInt32, _ method: String) -> [UInt8] {
    let request = WireRequest(
      service: "p", method: method, payload: [], timeout: nil, metadata: Metadata())
    var buffer = ByteBuffer()
    _ = buffer.writeFrame(
      streamID: streamID, type: .request, flags: [.remoteOpen, .noData], message: request,
      limit: .max)
    return Array(buffer.readableBytesView)
  }

  private static func messages(_ streamID: UInt32, count: Int) -> [UInt8] {
    var buffer = ByteBuffer()
    for number in 0..<count {
      let message = WireStatus(
        code: Int32(number), message: String(repeating: "x", count: 60_000))
      _ = buffer.writeFrame(streamID: streamID, type: .data, message: message, limit: .max)
    }
    return Array(buffer.readableBytesView)
  }

  @Test func `a sender waits for a handler that reads late, and no message is lost`() async throws {
    var limits = Self.limits
    limits.slowReaderTimeout = .seconds(3600)
    let service = TestService()
    try await withServer(limits: limits, service: service) { path, _ in
      let peer = try RawPeer(path: path)
      // More than the queue and the socket buffer hold.
      async let sent: Void = peer.send(Self.open(1, "Stall") + Self.messages(1, count: 50))
      // Meanwhile, another connection is answered.
      let other = try RawPeer(path: path)
      for number in 0..<100 {
        try await other.send(requestFrames("Echo", [number]))
        #expect(try await other.receiveFrame() != nil)
      }
      service.released.set()
      for number in 0..<50 {
        var frame = ByteBuffer(bytes: try #require(try await peer.receiveFrame()))
        let header = frame.readFrameHeader()
        try #require(header?.type == FrameType.data.rawValue, "message \(number)")
        #expect(try frame.message(WireStatus.self).code == Int32(number))
      }
      try await sent
    }
  }

  @Test func `a handler that never reads ends its stream after the slow reader timeout`()
    async throws
  {
    let service = TestService()
    var limits = Self.limits
    limits.slowReaderTimeout = .seconds(5)
    let connection = try await TestConnection(service, limits)
    // The fifth message exceeds the queue limit, and the call after it has to wait.
    try await connection.receive(
      Self.open(1, "Stall") + Self.messages(1, count: 5) + requestFrames("Now", [1], seconds: 0))
    try await connection.advance(.seconds(4))
    #expect(try await connection.sentFrame() == nil)
    #expect(try await connection.isPaused)
    try await connection.advance(.seconds(2))
    let end = try await connection.sentFrame()
    #expect(end?.header.streamID == 1)
    guard case .failure(let error) = end?.response else {
      Issue.record("the stream did not end with an error")
      return
    }
    #expect(error.code == .resourceExhausted)
    let answer = try await connection.sentFrame()
    #expect(answer?.header.streamID == 3)
    #expect(try await !connection.isPaused)
    try await connection.close()
  }

  @Test func `a paused connection that closes leaves no timer`() async throws {
    let connection = try await TestConnection(TestService(), Self.limits)
    try await connection.receive(Self.open(1, "Stall") + Self.messages(1, count: 5))
    #expect(try await connection.isPaused)
    try await connection.close()
    #expect(try await connection.hasNoSlowReaderTimer)
  }
}

/// A server connection on an event loop whose clock the test advances.
private actor TestConnection {
  private let loop = NIOAsyncTestingEventLoop()
  private let channel: NIOAsyncTestingChannel
  private let connection: NIOLoopBound<ServerConnection>
  private var received = ByteBuffer()

  struct SentFrame {
    var header: FrameHeader
    var response: Result<[UInt8], RPCError>
  }

  init(_ service: TestService, _ limits: ServerLimits) async throws {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let channel = NIOAsyncTestingChannel(loop: loop)
    self.channel = channel
    connection = try await loop.executeInContext { [loop, logger] in
      let parts = ServerParts(
        [service], routes: [], interceptors: [], limits: limits, budget: { _ in .unlimited })
      let connection = ServerConnection(
        parts, PeerIdentity(processID: 1, userID: 2, groupID: 3),
        try #require(parts.load.connectionOpened(by: 2, .unlimited)), channel,
        ServerLoop(loop, parts), logger)
      try connection.start()
      return NIOLoopBound(connection, eventLoop: loop)
    }
    try await channel.connect(to: SocketAddress(unixDomainSocketPath: "/s")).get()
  }

  func receive(_ bytes: [UInt8]) async throws {
    try await channel.writeInbound(ByteBuffer(bytes: bytes))
  }

  func advance(_ time: TimeAmount) async throws {
    await loop.advanceTime(by: time)
  }

  /// Returns the next frame that the server sent, or nil if there is none.
  func sentFrame() async throws -> SentFrame? {
    while let bytes = try await channel.readOutbound(as: ByteBuffer.self) {
      received.writeImmutableBuffer(bytes)
    }
    guard let header = received.readFrameHeader(),
      let payload = received.readSlice(length: Int(header.length))
    else { return nil }
    return SentFrame(header: header, response: try payload.message(WireResponse.self).outcome)
  }

  var isPaused: Bool {
    get async throws { try await onLoop { $0.reads.isPaused } }
  }

  var hasNoSlowReaderTimer: Bool {
    get async throws { try await onLoop { !$0.reads.isWaitingForReaders } }
  }

  private func onLoop<Value: Sendable>(
    _ body: @escaping @Sendable (ServerConnection) -> Value
  ) async throws -> Value {
    try await loop.executeInContext { [connection] in body(connection.value) }
  }

  func close() async throws {
    _ = try await channel.finish(acceptAlreadyClosed: true)
  }
}

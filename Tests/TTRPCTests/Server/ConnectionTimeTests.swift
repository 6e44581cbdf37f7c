import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import TTRPC

/// What a server's connection does as time passes, on an event loop whose time the test moves.
@Suite struct ConnectionTimeTests {
  /// Answers its calls when the test says so.
  private struct Slow: Service {
    static let serviceName = "p"

    let answers = NIOLockedValueBox<[TTRPC.Method.Completion<WireDuration>]>([])

    var methods: [TTRPC.Method] {
      [
        .deferred("Echo", WireDuration.self) {
          (_, _, answer: @escaping TTRPC.Method.Completion<WireDuration>) in
          answers.withLockedValue { $0.append(answer) }
          return {}
        }
      ]
    }

    func answerAll() {
      let waiting = answers.withLockedValue { answers in
        defer { answers = [] }
        return answers
      }
      for answer in waiting { answer(.success(WireDuration())) }
    }
  }

  private func connection(
    to service: Slow = Slow(), routes: [HTTPRoute] = [],
    _ configure: (inout ServerLimits) -> Void
  ) throws -> EmbeddedChannel {
    var limits = ServerLimits()
    limits.pollTime = .zero
    configure(&limits)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let channel = EmbeddedChannel()
    let parts = ServerParts(
      [service], routes: routes, interceptors: [], limits: limits, budget: { _ in .unlimited })
    let handler = ServerConnectionHandler(
      server: parts, peer: PeerIdentity(processID: 1, userID: 2, groupID: 3), logger: logger,
      loop: ServerLoop(channel.embeddedEventLoop, limits),
      admission: try #require(parts.load.connectionOpened(by: 2, .unlimited)))
    try channel.pipeline.syncOperations.addHandler(handler)
    channel.connect(to: try SocketAddress(unixDomainSocketPath: "/s"), promise: nil)
    return channel
  }

  private func pass(_ time: TimeAmount, on channel: EmbeddedChannel) {
    channel.embeddedEventLoop.advanceTime(by: time)
  }

  @Test func `a frame that is begun and not finished closes the connection in time`() throws {
    let channel = try connection { $0.frameTime = .seconds(60) }
    pass(.hours(1), on: channel)
    try channel.writeInbound(ByteBuffer(bytes: Golden.echoRequest.prefix(12)))
    pass(.seconds(59), on: channel)
    #expect(channel.isActive)
    pass(.seconds(30), on: channel)
    #expect(!channel.isActive)
  }

  @Test func `a silent connection is closed in time, and one whose call runs is not`() throws {
    let service = Slow()
    let channel = try connection(to: service) { $0.idleTime = .seconds(60) }
    try channel.writeInbound(ByteBuffer(bytes: requestFrames("Echo", [0])))
    pass(.hours(1), on: channel)
    #expect(channel.isActive)
    service.answerAll()
    channel.embeddedEventLoop.run()
    #expect(try channel.readOutbound(as: ByteBuffer.self) != nil)

    try channel.writeInbound(ByteBuffer(bytes: Golden.bytes("00000000 00000001 04 00")))
    pass(.seconds(59), on: channel)
    #expect(channel.isActive)
    pass(.seconds(30), on: channel)
    #expect(!channel.isActive)
  }

  @Test func `a connection of the reserve has no more time for HTTP than for other bytes`() throws {
    let routes = [HTTPRoute(path: "/healthz") { _ throws(RPCError) in HTTPResponse(line: "ok") }]
    for bytes in ["GET /healthz HTTP/1.1\r\nHo", "\0"] {
      let channel = try connection(routes: routes) {
        // All that there are is the reserve.
        $0.connections = 0
        $0.reservedConnectionTime = .seconds(5)
        $0.frameTime = .seconds(60)
      }
      try channel.writeInbound(ByteBuffer(string: bytes))
      pass(.seconds(4), on: channel)
      #expect(channel.isActive, "\(bytes)")
      pass(.seconds(2), on: channel)
      #expect(!channel.isActive, "\(bytes)")
    }
  }

  @Test func `a peer that stops reading is disconnected in time`() throws {
    let channel = try connection { $0.writeTime = .seconds(60) }
    pass(.hours(1), on: channel)
    channel.isWritable = false
    channel.pipeline.fireChannelWritabilityChanged()
    pass(.seconds(59), on: channel)
    #expect(channel.isActive)
    pass(.seconds(30), on: channel)
    #expect(!channel.isActive)
  }
}

import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import GRPC
@testable import TTRPC

/// The timeouts of a server connection, on an event loop whose clock the test advances.
@Suite struct ConnectionTimeTests {
  /// A service that answers its calls when the test calls `answerAll()`.
  private struct Slow: Service {
    static let serviceName = "p"

    let answers = NIOLockedValueBox<[TTRPC.Method.Completion<WireDuration>]>([])

    var methods: [TTRPC.Method] {
      [
        .deferred("Echo", WireDuration.self) {
          (_, _, answer: TTRPC.Method.Completion<WireDuration>) in
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
    to service: Slow = Slow(), formats: [WireFormat] = [], routes: [HTTPRoute] = [],
    _ configure: (inout ServerLimits) -> Void
  ) throws -> EmbeddedChannel {
    var limits = ServerLimits.patient
    limits.busyPollTime = .zero
    configure(&limits)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let channel = EmbeddedChannel()
    let parts = ServerParts(
      [service], formats: formats, routes: routes, interceptors: [], limits: limits,
      budget: { _ in .unlimited })
    try ServerConnection(
      parts, PeerIdentity(processID: 1, userID: 2, groupID: 3),
      try #require(parts.load.connectionOpened(by: 2, .unlimited)), channel,
      ServerLoop(channel.embeddedEventLoop, parts), logger
    ).start()
    channel.connect(to: try SocketAddress(unixDomainSocketPath: "/s"), promise: nil)
    return channel
  }

  private func advance(_ time: TimeAmount, on channel: EmbeddedChannel) {
    channel.embeddedEventLoop.advanceTime(by: time)
  }

  @Test func `an incomplete frame closes the connection after the frame timeout`() throws {
    let channel = try connection { $0.frameTimeout = .seconds(60) }
    advance(.hours(1), on: channel)
    try channel.writeInbound(ByteBuffer(bytes: Golden.echoRequest.prefix(12)))
    advance(.seconds(59), on: channel)
    #expect(channel.isActive)
    advance(.seconds(30), on: channel)
    #expect(!channel.isActive)
  }

  @Test func `a pause of the server does not count as time of a gRPC request`() throws {
    let service = Slow()
    let channel = try connection(to: service, formats: [.grpc]) {
      $0.frameTimeout = .milliseconds(100)
      $0.wastedFramesPerSecond = 1
    }
    // The second request grows by 1 MB, after which the connection pauses for a second.
    try channel.writeInbound(
      ByteBuffer(
        bytes: HTTP2RawPeer.preface + HTTP2RawPeer.settings([]) + HTTP2RawPeer.open("Echo", 1)
          + HTTP2RawPeer.compressedCall("Echo", 3, [UInt8](repeating: 0, count: 1_000_000))))
    advance(.milliseconds(50), on: channel)
    #expect(try sentFrames(on: channel).contains { $0.streamID == 3 })
    advance(.milliseconds(500), on: channel)
    try channel.writeInbound(ByteBuffer(bytes: HTTP2RawPeer.message([], 1)))
    advance(.milliseconds(500), on: channel)
    #expect(try sentFrames(on: channel).isEmpty)
    service.answerAll()
    channel.embeddedEventLoop.run()
    #expect(try sentFrames(on: channel).contains { $0.kind == .data && $0.streamID == 1 })
    #expect(channel.isActive)

    // Without a pause, the next request is late.
    try channel.writeInbound(ByteBuffer(bytes: HTTP2RawPeer.open("Echo", 5)))
    advance(.milliseconds(200), on: channel)
    #expect(try sentFrames(on: channel).contains { $0.kind == .headers && $0.streamID == 5 })
  }

  /// Reads the HTTP/2 frames of streams that the server has sent.
  private func sentFrames(
    on channel: EmbeddedChannel
  ) throws -> [(kind: HTTP2RawPeer.Kind, streamID: Int)] {
    var frames: [(kind: HTTP2RawPeer.Kind, streamID: Int)] = []
    while var bytes = try channel.readOutbound(as: ByteBuffer.self) {
      while let header = bytes.readBytes(length: 9) {
        let length = header[..<3].reduce(0) { $0 << 8 | Int($1) }
        let streamID = header[5...].reduce(0) { $0 << 8 | Int($1) }
        bytes.moveReaderIndex(forwardBy: length)
        if streamID != 0, let kind = HTTP2RawPeer.Kind(rawValue: header[3]) {
          frames.append((kind, streamID))
        }
      }
    }
    return frames
  }

  @Test func `an idle connection is closed, and one with a running call is not`() throws {
    let service = Slow()
    let channel = try connection(to: service) { $0.idleTimeout = .seconds(60) }
    try channel.writeInbound(ByteBuffer(bytes: requestFrames("Echo", [0])))
    advance(.hours(1), on: channel)
    #expect(channel.isActive)
    service.answerAll()
    channel.embeddedEventLoop.run()
    #expect(try channel.readOutbound(as: ByteBuffer.self) != nil)

    try channel.writeInbound(ByteBuffer(bytes: Golden.bytes("00000000 00000001 04 00")))
    advance(.seconds(59), on: channel)
    #expect(channel.isActive)
    advance(.seconds(30), on: channel)
    #expect(!channel.isActive)
  }

  @Test func `a request of HTTP that is being answered is not idle`() throws {
    let routes = [
      HTTPRoute(path: "/slow") { _ throws(RPCError) in
        do {
          try await Task.sleep(for: .seconds(600))
        } catch {
          throw RPCError(code: .cancelled, message: "cancelled")
        }
        return HTTPResponse(line: "ok")
      }
    ]
    let channel = try connection(routes: routes) {
      $0.idleTimeout = .seconds(1)
      $0.frameTimeout = .seconds(60)
    }
    try channel.writeInbound(ByteBuffer(string: "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"))
    advance(.seconds(50), on: channel)
    #expect(channel.isActive)
    advance(.seconds(20), on: channel)
    #expect(!channel.isActive)
  }

  @Test func `a reserved connection has the same time for HTTP as for other bytes`() throws {
    let routes = [HTTPRoute(path: "/healthz") { _ throws(RPCError) in HTTPResponse(line: "ok") }]
    for bytes in ["GET /healthz HTTP/1.1\r\nHo", "\0"] {
      let channel = try connection(routes: routes) {
        // Every connection is a reserved one.
        $0.connections = 0
        $0.reservedConnectionTimeout = .seconds(5)
        $0.frameTimeout = .seconds(60)
      }
      try channel.writeInbound(ByteBuffer(string: bytes))
      advance(.seconds(4), on: channel)
      #expect(channel.isActive, "\(bytes)")
      advance(.seconds(2), on: channel)
      #expect(!channel.isActive, "\(bytes)")
    }
  }

  @Test func `a peer that stops reading is disconnected after the write timeout`() throws {
    let channel = try connection { $0.writeTimeout = .seconds(60) }
    try channel.writeInbound(ByteBuffer(bytes: Golden.bytes("00000000 00000001 04 00")))
    advance(.hours(1), on: channel)
    channel.isWritable = false
    channel.pipeline.fireChannelWritabilityChanged()
    advance(.seconds(59), on: channel)
    #expect(channel.isActive)
    advance(.seconds(30), on: channel)
    #expect(!channel.isActive)
  }
}

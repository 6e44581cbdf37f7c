import NIOCore
import ProtobufC
import TestSupport
import Testing

@testable import GRPC
@testable import TTRPC

/// Clients that break HTTP/2's rules, or use them to burden the server.
///
/// Each test states the number of frames after which the connection is closed. Another connection
/// is served meanwhile.
@Suite(.timeLimit(.minutes(15))) struct GRPCAbuseTests {
  private typealias Peer = HTTP2RawPeer

  private static let protocolError = 1
  private static let flowControlError = 3
  private static let frameSizeError = 6
  private static let enhanceYourCalm = 11

  /// Runs a server with a well-behaved client, whose calls are answered before and afterwards.
  private static func withServer(
    _ limits: ServerLimits = ServerLimits(),
    _ body: @Sendable (_ path: String, Server, TestService) async throws -> Void
  ) async throws {
    let service = TestService()
    try await TTRPCTests.withServer(limits: limits, service: service) { path, server in
      let other = try await GRPCPeer.connect(path)
      func check() async throws {
        let (messages, _) = try await other.call("/p/Echo", GRPCServerTests.number(1))
        #expect(try messages.map(GRPCServerTests.seconds) == [2])
      }
      try await check()
      try await body(path, server, service)
      try await check()
      try await eventually("only the other connection is open") {
        server.load.openConnections == 1
      }
      try await other.close()
    }
  }

  /// A kind of abuse, and the number of frames from which the connection is closed.
  struct Abuse: Sendable, CustomTestStringConvertible {
    let name: String
    /// The frames before, which are accepted.
    var before: [UInt8] = []
    /// The frame with a number, beginning with 0.
    let frame: @Sendable (Int) -> [UInt8]
    /// The number of frames that are accepted.
    let accepted: Int
    let code: Int
    var debugData = ""
    var limits = ServerLimits()

    var testDescription: String { name }

    func bytes(_ count: Int) -> [UInt8] { before + (0..<count).flatMap(frame) }
  }

  /// Limits under which a connection has at most 10 calls.
  private static let fewCalls: ServerLimits = {
    var limits = ServerLimits()
    limits.callsPerConnection = 10
    limits.wastedFramesPerSecond = 20
    return limits
  }()

  private static let floods = [
    Abuse(
      name: "PING", frame: { _ in Peer.ping }, accepted: 3, code: enhanceYourCalm,
      debugData: "too_many_pings"),
    // The first SETTINGS frame belongs to the preface.
    Abuse(
      name: "SETTINGS", frame: { Peer.settings([(4, 65_535 + $0)]) }, accepted: 10,
      code: enhanceYourCalm, debugData: "too_many_settings"),
    Abuse(
      name: "PRIORITY", frame: { _ in Peer.frame(.priority, 1, [0, 0, 0, 3, 1]) }, accepted: 11,
      code: enhanceYourCalm, debugData: "too_many_priorities"),
    Abuse(
      name: "rapid reset", frame: { Peer.open("Wait", 2 * $0 + 1) + Peer.reset(2 * $0 + 1) },
      accepted: 30, code: enhanceYourCalm, limits: fewCalls),
    Abuse(
      name: "rapid reset of streams",
      frame: { Peer.open("Stall", 2 * $0 + 1) + Peer.reset(2 * $0 + 1) },
      accepted: 30, code: enhanceYourCalm, limits: fewCalls),
    Abuse(
      name: "empty DATA", before: Peer.open("Sum", 1), frame: { _ in Peer.frame(.data, 1) },
      accepted: 100, code: enhanceYourCalm),
    Abuse(
      name: "CONTINUATION",
      before: Peer.frame(.headers, 1, Array(Peer.headerList("Echo").prefix(20))),
      frame: { _ in Peer.frame(.continuation, 1) }, accepted: 5, code: enhanceYourCalm),
    Abuse(
      name: "open streams", frame: { Peer.open("Stall", 2 * $0 + 1) }, accepted: 10,
      code: protocolError, limits: fewCalls),
  ]

  @Test(arguments: floods)
  func `a flood of frames closes the connection`(_ abuse: Abuse) async throws {
    try await Self.withServer(abuse.limits) { path, server, _ in
      let peer = try await Peer(path: path)
      try await peer.send(abuse.bytes(abuse.accepted + 1))
      #expect(
        try await peer.rest() == Peer.GoAway(code: abuse.code, debugData: abuse.debugData))
      try await server.waitUntilIdle()
    }
  }

  @Test(arguments: floods)
  func `a frame less than a flood is accepted`(_ abuse: Abuse) async throws {
    try await Self.withServer(abuse.limits) { path, server, _ in
      let peer = try await Peer(path: path)
      try await peer.send(abuse.bytes(abuse.accepted))
      // It is closed only for the next frame, which is invalid.
      try await peer.send(Peer.frame(.data, 0))
      #expect(try await peer.rest() == Peer.GoAway(code: Self.protocolError, debugData: ""))
      try await server.waitUntilIdle()
    }
  }

  private static let invalid = [
    Abuse(
      name: "WINDOW_UPDATE of 0", frame: { _ in Peer.windowUpdate(0, 0) }, accepted: 0,
      code: protocolError),
    Abuse(
      name: "overflow of the connection's window",
      frame: { _ in Peer.windowUpdate(0, Int(Int32.max)) }, accepted: 0, code: flowControlError),
    Abuse(
      name: "overflow of the initial window", frame: { _ in Peer.settings([(4, 1 << 31)]) },
      accepted: 0, code: flowControlError),
    Abuse(
      name: "DATA on a stream that was never opened", frame: { _ in Peer.message([], 1) },
      accepted: 0, code: protocolError),
    Abuse(
      name: "RST_STREAM on a stream that was never opened", frame: { _ in Peer.reset(1) },
      accepted: 0, code: protocolError),
    Abuse(
      name: "WINDOW_UPDATE on a stream that was never opened",
      frame: { _ in Peer.windowUpdate(1, 1) }, accepted: 0, code: protocolError),
    Abuse(
      name: "a stream of the server", frame: { _ in Peer.open("Echo", 2) }, accepted: 0,
      code: protocolError),
    Abuse(
      name: "a stream with a lower number", before: Peer.open("Stall", 5),
      frame: { _ in Peer.open("Stall", 3) }, accepted: 0, code: protocolError),
    Abuse(
      name: "a frame above the maximum size",
      frame: { _ in Peer.frame(.data, 1, [UInt8](repeating: 0, count: 16_385)) }, accepted: 0,
      code: frameSizeError),
    Abuse(
      name: "CONTINUATION without HEADERS", frame: { _ in Peer.frame(.continuation, 1) },
      accepted: 0, code: protocolError),
    Abuse(
      name: "another frame within a header list",
      before: Peer.frame(.headers, 1, Array(Peer.headerList("Echo").prefix(20))),
      frame: { _ in Peer.ping }, accepted: 0, code: protocolError),
    Abuse(
      name: "a long header list",
      before: Peer.frame(
        .headers, 1, Peer.headerList("Echo", [("a", String(repeating: "x", count: 16_000))])),
      frame: { _ in
        Peer.frame(
          .continuation, flags: Peer.endHeaders, 1,
          [0] + Peer.string("b") + Peer.string(String(repeating: "x", count: 1000)))
      }, accepted: 0, code: protocolError),
    Abuse(
      name: "PUSH_PROMISE", before: Peer.open("Stall", 1),
      frame: { _ in
        Peer.frame(
          .pushPromise, flags: Peer.endHeaders, 1, Peer.integer(2) + Peer.headerList("Echo"))
      }, accepted: 0, code: protocolError),
  ]

  @Test(arguments: invalid)
  func `an invalid frame closes the connection`(_ abuse: Abuse) async throws {
    try await Self.withServer(abuse.limits) { path, server, _ in
      let peer = try await Peer(path: path)
      try await peer.send(abuse.bytes(1))
      #expect(try await peer.rest()?.code == abuse.code)
      try await server.waitUntilIdle()
    }
  }

  @Test func `headers that grow when they are decoded close the connection`() async throws {
    try await Self.withServer { path, _, _ in
      let peer = try await Peer(path: path)
      // A header of 4000 bytes that goes to the dynamic table, and is then named a hundred times.
      let entry = [0x40] + Peer.string("a") + Peer.string(String(repeating: "x", count: 4000))
      let list = Peer.headerList("Echo") + entry + [UInt8](repeating: 0x80 | 62, count: 100)
      try await peer.send(Peer.frame(.headers, flags: Peer.endHeaders, 1, list))
      #expect(try await peer.rest() != nil)
    }
  }

  @Test(arguments: [0, Int(Int32.max)])
  func `an invalid change of a stream's window resets it and closes the connection`(
    _ increment: Int
  ) async throws {
    try await Self.withServer { path, server, _ in
      let peer = try await Peer(path: path)
      try await peer.send(Peer.open("Stall", 1) + Peer.windowUpdate(1, increment))
      let reset = try await peer.next(.reset, on: 1)
      let code = increment == 0 ? Self.protocolError : Self.flowControlError
      #expect(reset?.payload == Peer.integer(code))
      #expect(try await peer.rest() == nil)
      try await server.waitUntilIdle()
    }
  }

  @Test func `a client may send a PING after each response`() async throws {
    try await Self.withServer { path, _, _ in
      let peer = try await Peer(path: path)
      for number in 0..<500 {
        let id = 2 * number + 1
        try await peer.send(Peer.call("Echo", id, GRPCServerTests.number(1)) + Peer.ping)
        let trailers = try await peer.next(.headers, on: id)
        try #require(trailers != nil, "the connection was closed after \(number) calls")
      }
    }
  }

  @Test func `a client may cancel all its calls at once`() async throws {
    try await Self.withServer { path, server, _ in
      let peer = try await Peer(path: path)
      let ids = (0..<1024).map { 2 * $0 + 1 }
      for id in ids { try await peer.send(Peer.open("Stall", id)) }
      try await server.wait(forCalls: 1024)
      try await peer.send(ids.flatMap(Peer.reset))
      try await server.waitUntilIdle()
      #expect(try await peer.isOpen())
    }
  }

  @Test func `data of streams that the server has ended is ignored`() async throws {
    try await Self.withServer { path, server, _ in
      let peer = try await Peer(path: path)
      let ids = (0..<500).map { 2 * $0 + 1 }
      for id in ids {
        // The message has an invalid flag.
        try await peer.send(Peer.open("Stall", id) + Peer.frame(.data, id, [9, 0, 0, 0, 0]))
      }
      for id in ids { #expect(try await peer.next(.reset, on: id) != nil) }
      for id in ids { try await peer.send(Peer.message([], id)) }
      #expect(try await peer.isOpen())
    }
  }

  @Test func `a window of one byte lets one byte pass`() async throws {
    try await Self.withServer { path, server, _ in
      let peer = try await Peer(path: path, window: 1)
      try await peer.send(Peer.call("Echo", 1, GRPCServerTests.number(5)))
      var bytes: [UInt8] = []
      for _ in 0..<7 {
        let data = try #require(try await peer.next(.data, on: 1))
        #expect(data.payload.count == 1)
        bytes += data.payload
        try await peer.send(Peer.windowUpdate(1, 1))
      }
      #expect(try GRPCPeer.messages(in: bytes).map(GRPCServerTests.seconds) == [6])
      let trailers = try #require(try await peer.next(.headers, on: 1))
      #expect(trailers.flags & Peer.endStream != 0)
    }
  }

  /// The windows of a client that does not read.
  static let windows = [0, 1, 65_535, Int(Int32.max)]

  @Test(arguments: windows)
  func `the responses that wait for a client are bounded`(_ window: Int) async throws {
    var limits = ServerLimits()
    limits.queuedBytesPerConnection = 1 << 20
    try await Self.withServer(limits) { path, server, _ in
      let peer = try await Peer(path: path, window: window)
      try await peer.send(Peer.windowUpdate(0, Int(Int32.max) - 65_535))
      var id = 1
      // At most this many responses are in the limit and in the buffers of both sockets.
      var mostBytes = 0
      do {
        for _ in 0..<100 {
          try await peer.send(Peer.call("Large", id, GRPCServerTests.number(60_000)))
          id += 2
          mostBytes = max(mostBytes, server.load.bytesQueued)
        }
      } catch is RawPeer.Failure {
        // The server has closed the connection.
      }
      try await eventually("the connection is closed") { server.load.openConnections == 1 }
      #expect(mostBytes < (1 << 20) + 65_536 * 4)
      try await eventually("no byte is queued") { server.load.bytesQueued == 0 }
    }
  }

  @Test(arguments: windows)
  func `a client that lets no response pass is disconnected`(_ window: Int) async throws {
    var limits = ServerLimits()
    limits.writeTimeout = .milliseconds(50)
    try await Self.withServer(limits) { path, server, _ in
      let peer = try await Peer(path: path, window: window)
      let request = GRPCServerTests.number(100_000)
      try await peer.send((0..<10).flatMap { Peer.call("Large", 2 * $0 + 1, request) })
      try await eventually("the connection is closed") { server.load.openConnections == 1 }
      _ = try await peer.rest()
    }
  }
}

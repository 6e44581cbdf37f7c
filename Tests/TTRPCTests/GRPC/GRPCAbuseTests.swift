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
  typealias Peer = HTTP2RawPeer

  private static let protocolError = 1
  private static let flowControlError = 3
  private static let frameSizeError = 6
  private static let enhanceYourCalm = 11

  /// Runs a server with a well-behaved client, whose calls are answered before and afterwards.
  static func withServer(
    _ limits: ServerLimits = .patient,
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
    var limits = ServerLimits.patient
    /// The maximum number of resets that do not count: those of streams that the server refused at
    /// the end of the turn before.
    var surplus = 0
    /// The error of an invalid frame after the accepted ones.
    var codeAfterwards = protocolError

    var testDescription: String { name }

    func bytes(_ count: Int) -> [UInt8] { before + (0..<count).flatMap(frame) }
  }

  /// Limits under which a connection has at most 20 calls, and 84 streams.
  private static let fewCalls: ServerLimits = {
    var limits = ServerLimits.patient
    limits.callsPerConnection = 10
    limits.endlessCallsPerConnection = 10
    limits.wastedFramesPerSecond = 0
    return limits
  }()

  /// The same limits, with turns in which more streams are opened than may be open.
  ///
  /// Calls above the limit end with their turn.
  private static let largeTurns: ServerLimits = {
    var limits = fewCalls
    limits.framesPerRead = 100
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
      name: "rapid reset", frame: { Peer.open("Wait", 2 * $0 + 1) + Peer.reset(2 * $0 + 1) },
      accepted: 84, code: enhanceYourCalm, debugData: "too_many_resets", limits: fewCalls),
    Abuse(
      name: "rapid reset of streams",
      frame: { Peer.open("Stall", 2 * $0 + 1) + Peer.reset(2 * $0 + 1) },
      accepted: 84, code: enhanceYourCalm, debugData: "too_many_resets", limits: fewCalls,
      surplus: 20),
    Abuse(
      name: "errors of streams",
      frame: {
        Peer.open("Stall", 2 * $0 + 1) + Peer.windowUpdate(2 * $0 + 1, Int(Int32.max))
      },
      accepted: 84, code: enhanceYourCalm, debugData: "too_many_resets", limits: fewCalls,
      surplus: 20),
    Abuse(
      name: "invalid requests",
      frame: { Peer.list(2 * $0 + 1, [("A", "b")]) },
      accepted: 84, code: enhanceYourCalm, debugData: "too_many_resets", limits: fewCalls),
    Abuse(
      name: "empty DATA", before: Peer.open("Sum", 1), frame: { _ in Peer.frame(.data, 1) },
      accepted: 100, code: enhanceYourCalm, debugData: "too_many_empty_data"),
    Abuse(
      name: "CONTINUATION",
      before: Peer.frame(.headers, 1, Array(Peer.headerList("Echo").prefix(20))),
      frame: { _ in Peer.frame(.continuation, 1) }, accepted: 8, code: enhanceYourCalm,
      debugData: "too many CONTINUATION frames", codeAfterwards: enhanceYourCalm),
    Abuse(
      name: "open streams", frame: { Peer.open("Wait", 2 * $0 + 1) }, accepted: 84,
      code: protocolError, debugData: "request HEADERS: max concurrent streams exceeded",
      limits: largeTurns),
  ]

  @Test(arguments: floods)
  func `a flood of frames closes the connection`(_ abuse: Abuse) async throws {
    try await Self.withServer(abuse.limits) { path, server, _ in
      let peer = try await Peer(path: path)
      try await peer.send(abuse.bytes(abuse.accepted + 1 + abuse.surplus))
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
      #expect(try await peer.rest()?.code == abuse.codeAfterwards)
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

  /// Header lists above the limit.
  private static let longLists: [[UInt8]] = {
    let long = Peer.headerList("Echo", [("a", String(repeating: "x", count: 16_000))])
    let more = [0] + Peer.string("b") + Peer.string(String(repeating: "x", count: 1000))
    // A header of 4000 bytes that goes to the dynamic table, and is then named a hundred times.
    let entry = [0x40] + Peer.string("a") + Peer.string(String(repeating: "x", count: 4000))
    let growing = Peer.headerList("Echo") + entry + [UInt8](repeating: 0x80 | 62, count: 100)
    return [
      Peer.frame(.headers, 1, long)
        + Peer.frame(.continuation, flags: Peer.endHeaders, 1, more),
      Peer.frame(.headers, flags: Peer.endHeaders, 1, growing),
      // As trailers.
      Peer.open("Stall", 1)
        + Peer.frame(
          .headers, flags: Peer.endHeaders | Peer.endStream, 1,
          entry + [UInt8](repeating: 0x80 | 62, count: 100)),
    ]
  }()

  @Test(arguments: longLists.indices)
  func `a long header list resets its stream only`(_ index: Int) async throws {
    try await Self.withServer { path, server, _ in
      let peer = try await Peer(path: path)
      try await peer.send(Self.longLists[index])
      #expect(try await peer.next(.reset, on: 1)?.payload == Peer.integer(Self.enhanceYourCalm))
      try await server.waitUntilIdle()
      try await peer.send(Peer.call("Echo", 3, GRPCServerTests.number(1)))
      #expect(try await peer.next(.headers, on: 3) != nil)
    }
  }

  /// Errors of a stream, and the codes with which it is reset.
  private static let streamErrors: [(String, [UInt8], Int)] = [
    (
      "a window that overflows", Peer.open("Stall", 1) + Peer.windowUpdate(1, Int(Int32.max)),
      flowControlError
    ),
    ("no path", Peer.list(1, [(":method", "POST"), (":scheme", "http")]), protocolError),
    ("a name in upper case", Peer.list(1, call + [("A", "b")]), protocolError),
    (
      "a pseudo-header after another header", Peer.list(1, call + [(":authority", "x")]),
      protocolError
    ),
    (
      "a malformed request of an unknown method",
      Peer.list(1, [(":method", "POST"), (":scheme", "http"), (":path", "/x"), ("upgrade", "x")]),
      protocolError
    ),
    (
      "less data than content-length",
      Peer.list(1, call + [("content-length", "9")]) + Peer.message([1], 1), protocolError
    ),
    (
      "more data than content-length",
      Peer.list(1, call + [("content-length", "5")]) + Peer.message([1], 1), protocolError
    ),
    (
      "more data than content-length before its end",
      Peer.list(1, stream + [("content-length", "6")]) + Peer.message([1], 1, isLast: false)
        + Peer.message([1], 1, isLast: false), protocolError
    ),
    (
      "no data in spite of content-length",
      Peer.list(1, call + [("content-length", "1")], isLast: true), protocolError
    ),
    (
      "trailers in spite of content-length",
      Peer.list(1, stream + [("content-length", "7")]) + Peer.message([1], 1, isLast: false)
        + Peer.list(1, [("a", "b")], isLast: true), protocolError
    ),
    (
      "trailers that do not end the stream", Peer.list(1, stream) + Peer.list(1, [("a", "b")]),
      protocolError
    ),
    (
      "trailers with a pseudo-header",
      Peer.list(1, stream) + Peer.list(1, [(":path", "/p/Sum")], isLast: true), protocolError
    ),
    (
      "trailers with a name in upper case",
      Peer.list(1, stream) + Peer.list(1, [("A", "b")], isLast: true), protocolError
    ),
  ]

  private static let call = Peer.headers("Echo")
  private static let stream = Peer.headers("Stall")

  @Test(arguments: streamErrors)
  func `an error of a stream resets that stream only`(
    _ name: String, _ bytes: [UInt8], _ code: Int
  ) async throws {
    try await Self.withServer { path, server, service in
      let peer = try await Peer(path: path)
      try await peer.send(bytes)
      #expect(try await peer.next(.reset, on: 1)?.payload == Peer.integer(code), "\(name)")
      try await server.waitUntilIdle()
      try await peer.send(Peer.call("Echo", 3, GRPCServerTests.number(1)))
      #expect(try await peer.next(.headers, on: 3) != nil, "\(name)")
    }
  }

  @Test func `a malformed request cancels its call`() async throws {
    try await Self.withServer { path, server, service in
      let peer = try await Peer(path: path)
      try await peer.send(
        Peer.list(1, Self.stream + [("content-length", "7")])
          + Peer.message([], 1, isLast: false))
      try await server.wait(forCalls: 1)
      try await peer.send(Peer.message([], 1))
      #expect(try await peer.next(.reset, on: 1)?.payload == Peer.integer(Self.protocolError))
      try await service.cancelled.wait()
      try await server.waitUntilIdle()
    }
  }

  @Test func `data and trailers may have the stated length`() async throws {
    try await Self.withServer { path, _, _ in
      let peer = try await Peer(path: path)
      let request = GRPCServerTests.number(1)
      let length = ("content-length", "\(5 + request.count)")
      try await peer.send(
        Peer.list(1, Self.call + [length]) + Peer.message(request, 1)
          + Peer.list(3, Self.call + [length]) + Peer.message(request, 3, isLast: false)
          + Peer.list(3, [("a", "b")], isLast: true))
      for id in [1, 3] {
        let data = try #require(try await peer.next(.data, on: id))
        #expect(try GRPCPeer.messages(in: data.payload).map(GRPCServerTests.seconds) == [2])
      }
    }
  }

  @Test func `a change of a stream's window by zero closes the connection`() async throws {
    try await Self.withServer { path, server, _ in
      let peer = try await Peer(path: path)
      try await peer.send(Peer.open("Stall", 1) + Peer.windowUpdate(1, 0))
      #expect(try await peer.rest()?.code == Self.protocolError)
      try await server.waitUntilIdle()
    }
  }

  @Test func `PRIORITY frames are ignored`() async throws {
    try await Self.withServer { path, _, _ in
      let peer = try await Peer(path: path)
      for id in 1...1000 { try await peer.send(Peer.frame(.priority, id, [0, 0, 0, 3, 1])) }
      try await peer.send(Peer.call("Echo", 1, GRPCServerTests.number(1)))
      #expect(try await peer.next(.headers, on: 1) != nil)
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
}

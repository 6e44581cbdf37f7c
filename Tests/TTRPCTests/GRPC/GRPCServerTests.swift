import Foundation
import NIOConcurrencyHelpers
import NIOCore
import ProtobufC
import TestSupport
import Testing

@testable import GRPC
@testable import TTRPC

/// gRPC on the ttrpc socket.
@Suite(.timeLimit(.minutes(15))) struct GRPCServerTests {
  static func number(_ seconds: Int64) -> [UInt8] {
    WireDuration(seconds: seconds).serialized()
  }

  static func seconds(_ message: [UInt8]) throws -> Int64 {
    try WireDuration(serialized: message).seconds
  }

  static func withPeer(
    limits: ServerLimits = ServerLimits(), interceptors: [any ServerInterceptor] = [],
    window: Int = 65_535,
    _ body: @Sendable (GRPCPeer, TestService, Server) async throws -> Void
  ) async throws {
    let service = TestService()
    try await withServer(
      limits: limits, service: service, interceptors: interceptors
    ) { path, server in
      let peer = try await GRPCPeer.connect(path, window: window)
      try await body(peer, service, server)
      try await peer.close()
    }
  }

  @Test(arguments: ["Echo", "Later"])
  func `a unary call has headers, one message and trailers`(_ method: String) async throws {
    try await Self.withPeer { peer, _, _ in
      let id = try await peer.open("/p/\(method)")
      try await peer.send(Self.number(5), on: id, isLast: true)
      guard case .headers(let headers, isLast: false) = await peer.next(id) else {
        Issue.record("no headers")
        return
      }
      #expect(headers[":status"] == "200")
      #expect(headers["content-type"] == "application/grpc+proto")
      let (messages, trailers) = await peer.rest(of: id)
      #expect(try messages.map(Self.seconds) == [6])
      #expect(trailers["grpc-status"] == "0")
    }
  }

  @Test func `a method that answers from memory is called`() async throws {
    try await Self.withPeer { peer, _, _ in
      let (messages, trailers) = try await peer.call("/p/Now", Self.number(3))
      #expect(try messages.map { try WireStatus(serialized: $0).message } == ["xxx"])
      #expect(trailers["grpc-status"] == "0")
    }
  }

  @Test func `an error has a status, a message and details in its only headers`() async throws {
    try await Self.withPeer { peer, _, _ in
      let id = try await peer.open("/p/Refuse")
      try await peer.send([], on: id, isLast: true)
      guard case .headers(let headers, isLast: true) = await peer.next(id) else {
        Issue.record("no trailers")
        return
      }
      #expect(headers[":status"] == "200")
      #expect(headers["grpc-status"] == "9")
      #expect(headers["grpc-message"] == "no")
      let details = try #require(headers["grpc-status-details-bin"])
      let status = try WireStatus(serialized: Array(try #require(Data(base64Encoded: details))))
      #expect(status.code == 9)
      #expect(RPCError(status).fieldViolations.map(\.field) == ["seconds"])
      #expect(RPCError(status).retryDelay == .milliseconds(1500))
    }
  }

  @Test func `metadata of a response may have no names of HTTP and of gRPC`() {
    let metadata: Metadata = [
      ("x-request", "1"), ("x-request", " 2\t"), ("trace-bin", "q6s="), ("empty", ""),
      (":status", "500"), ("grpc-status", "0"), ("content-type", "text/html"),
      ("content-length", "1"), ("connection", "close"), ("two words", "1"), ("", "1"),
      ("line", "1\n2"), ("nul", "\0"),
    ].reduce(into: Metadata()) { $0.append($1.1, for: $1.0) }
    let headers = GRPCResponse.headers(of: metadata).map { "\($0.name): \($0.value)" }
    #expect(headers == ["x-request: 1", "x-request:  2\t", "trace-bin: q6s=", "empty: "])
  }

  @Test func `a message is percent-encoded`() {
    #expect(GRPCResponse.percentEncoded("50% of é\n") == "50%25 of %C3%A9%0A")
    #expect(GRPCResponse.percentEncoded("plain text ~") == "plain text ~")
    #expect(GRPCResponse.percentEncoded(" a b ") == "%20a b%20")
    #expect(GRPCResponse.percentEncoded("abcdé", limit: 6) == "abcd")
    #expect(GRPCResponse.percentEncoded("") == "")
  }

  @Test(arguments: [
    ("1H", Duration.seconds(3600)), ("2M", .seconds(120)), ("99999999S", .seconds(99_999_999)),
    ("5m", .milliseconds(5)), ("6u", .microseconds(6)), ("7n", .nanoseconds(7)), ("0S", .zero),
  ])
  func `a timeout is a number and a unit`(_ text: String, _ timeout: Duration) {
    #expect(Self.parsedTimeout(text) == timeout)
  }

  private static func parsedTimeout(_ text: String) -> Duration? {
    unsafe Array(text.utf8).withUnsafeBytes { unsafe GRPCRequestHead.timeout($0) }
  }

  @Test(arguments: ["", "S", "1", "123456789S", "-1S", "+1S", "1.5S", "1s", "1 S", "١S"])
  func `an invalid timeout is refused`(_ text: String) async throws {
    #expect(Self.parsedTimeout(text) == nil)
    try await Self.withPeer { peer, _, _ in
      guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return }
      let (_, trailers) = try await peer.call("/p/Echo", [], [("grpc-timeout", text)])
      #expect(trailers["grpc-status"] == "3")
    }
  }

  @Test(arguments: [
    ("/p/Nothing", "method Nothing"), ("/q/Echo", "service q"),
    ("/p/Echo/x", "invalid path /p/Echo/x"),
    ("/p", "invalid path /p"),
  ])
  func `an unknown method is unimplemented`(_ path: String, _ message: String) async throws {
    try await Self.withPeer { peer, _, _ in
      let (messages, trailers) = try await peer.call(path, [])
      #expect(messages.isEmpty)
      #expect(trailers["grpc-status"] == "12")
      #expect(trailers["grpc-message"] == message)
    }
  }

  @Test func `a request of another content type is refused with an HTTP status`() async throws {
    try await Self.withPeer { peer, _, _ in
      let id = try await peer.open("/p/Echo", type: "application/json", isLast: true)
      guard case .headers(let headers, isLast: true) = await peer.next(id) else {
        Issue.record("no headers")
        return
      }
      #expect(headers[":status"] == "415")
    }
  }

  /// The authorities that gRPC's clients send if they connect to a Unix socket.
  @Test(arguments: ["/run/mockupd/mockupd.sock", "%2Frun%2Fmockupd.sock", "localhost", "", nil])
  func `a request may have any authority`(_ authority: String?) async throws {
    try await withServer { path, _ in
      let peer = try await HTTP2RawPeer(path: path)
      let others = HTTP2RawPeer.headers("Echo").filter { $0.0 != ":authority" }
      let headers = (authority.map { [(":authority", $0)] } ?? []) + others
      try await peer.send(
        HTTP2RawPeer.list(1, headers) + HTTP2RawPeer.message(Self.number(1), 1))
      let data = try #require(try await peer.next(.data, on: 1))
      #expect(try GRPCPeer.messages(in: data.payload).map(Self.seconds) == [2])
    }
  }

  @Test func `metadata reaches the handler`() async throws {
    try await Self.withPeer { peer, _, _ in
      let (messages, _) = try await peer.call("/p/Who", [], [("k", "v"), ("grpc-other", "x")])
      let who = try WireStatus(serialized: try #require(messages.first))
      #expect(who.message.hasSuffix(" v"))
    }
  }

  @Test(
    arguments: [
      ("Echo", "OK"), ("Now", "OK"), ("Later", "OK"), ("Refuse", "FAILED_PRECONDITION"),
      ("Many", "OK"), ("Sum", "OK"), ("Nothing", "UNIMPLEMENTED"),
    ], [[], [("k", "v")], [("user-agent", "test")]])
  func `hooks see the start and the result of every call`(
    _ method: (name: String, result: String), _ metadata: [(String, String)]
  ) async throws {
    let notes = NIOLockedValueBox<[String]>([])
    let recorders = ["a", "b"].map {
      CallHookTests.RecordingInterceptor(name: $0, notes: notes)
    }
    try await Self.withPeer(interceptors: recorders) { peer, _, _ in
      _ = try await peer.call("/p/\(method.name)", Self.number(1), metadata)
      try await eventually { notes.withLockedValue { $0.count } == 4 }
    }
    let result = method.result
    #expect(notes.withLockedValue { $0 } == ["a>", "b>", "b<\(result)", "a<\(result)"])
  }

  @Test func `fields that a client library adds are not metadata`() throws {
    let head = Self.head([
      (":method", "POST"), (":path", "/p/Echo"), ("content-type", "application/grpc"),
      ("te", "trailers"), ("user-agent", "grpc-c/1"), ("accept-encoding", "gzip"),
      ("grpc-accept-encoding", "gzip"), ("k", "v"),
    ])
    let call = try head.call()
    #expect(call.metadata == ["k": "v"])
    #expect(call.method.isKnown)
  }

  @Test func `of several headers with a name the first one counts`() throws {
    let head = Self.head([
      (":method", "POST"), (":path", "/p/Echo"), (":path", "/p/Now"),
      ("content-type", "application/grpc;x"), ("content-type", "text/plain"),
      ("grpc-timeout", "1S"), ("grpc-timeout", "x"), ("grpc-encoding", "gzip"),
      ("grpc-encoding", "x"),
    ])
    let call = try head.call()
    #expect(call.method.descriptor.name == "Echo")
    #expect(call.timeout == .seconds(1))
    #expect(call.encoding == .gzip)
  }

  private static func head(_ headers: [(String, String)]) -> GRPCRequestHead {
    let head = GRPCRequestHead(
      MethodTable([TestService()], interceptors: ServerInterceptorChain([])))
    for (name, value) in headers {
      unsafe Array(name.utf8).withUnsafeBytes { name in
        unsafe Array(value.utf8).withUnsafeBytes { unsafe head.add(name: name, value: $0) }
      }
    }
    return head
  }

  @Test func `responses are a stream`() async throws {
    try await Self.withPeer { peer, _, _ in
      let (messages, trailers) = try await peer.call("/p/Many", Self.number(100))
      #expect(try messages.map(Self.seconds) == Array(1...100))
      #expect(trailers["grpc-status"] == "0")
      let (some, failure) = try await peer.call("/p/Many", Self.number(2), [("end", "1")])
      #expect(some.count == 2)
      #expect(failure["grpc-status"] == "2")
      #expect(failure["grpc-message"] == "boom")
    }
  }

  @Test func `requests are a stream`() async throws {
    try await Self.withPeer { peer, _, _ in
      let id = try await peer.open("/p/Sum")
      for _ in 0..<50 { try await peer.send(Self.number(1), on: id) }
      try await peer.end(id)
      let (messages, trailers) = await peer.rest(of: id)
      #expect(try messages.map(Self.seconds) == [50])
      #expect(trailers["grpc-status"] == "0")
    }
  }

  @Test func `a response that is ready before the last request arrives completely`() async throws {
    try await Self.withPeer { peer, _, _ in
      let id = try await peer.open("/p/First")
      try await peer.send(Self.number(7), on: id)
      let (messages, trailers) = await peer.rest(of: id)
      #expect(try messages.map(Self.seconds) == [7])
      #expect(trailers["grpc-status"] == "0")
      // The client need not send the rest.
      #expect(await peer.next(id) == .reset(0))
    }
  }

  @Test func `both sides are streams`() async throws {
    try await Self.withPeer { peer, _, _ in
      let id = try await peer.open("/p/Bidi")
      var bytes: [UInt8] = []
      for number in 1...20 as ClosedRange<Int64> {
        try await peer.send(Self.number(number), on: id)
        while GRPCPeer.messages(in: bytes).count < Int(number) {
          if case .data(let data) = await peer.next(id) { bytes += data }
        }
      }
      #expect(try GRPCPeer.messages(in: bytes).map(Self.seconds) == Array(2...21))
      try await peer.end(id)
      let (_, trailers) = await peer.rest(of: id)
      #expect(trailers["grpc-status"] == "0")
    }
  }

  @Test(arguments: [1, 2, 3, 5, 6, 7, 14])
  func `messages are read from data frames of any size`(_ size: Int) async throws {
    try await Self.withPeer { peer, _, _ in
      let id = try await peer.open("/p/Sum")
      var bytes: [UInt8] = []
      for _ in 0..<5 { bytes += [0, 0, 0, 0, 2] + Self.number(7) }
      #expect(bytes.count == 35)
      while !bytes.isEmpty {
        try await peer.send(raw: Array(bytes.prefix(size)), on: id)
        bytes.removeFirst(min(size, bytes.count))
      }
      try await peer.end(id)
      let (messages, trailers) = await peer.rest(of: id)
      #expect(try messages.map(Self.seconds) == [5])
      #expect(trailers["grpc-status"] == "0")
    }
  }

  @Test(arguments: ["Wait", "Watch", "Stall", "Later"])
  func `a reset cancels the handler`(_ method: String) async throws {
    try await Self.withPeer { peer, service, server in
      let id = try await peer.open("/p/\(method)")
      try await peer.send(Self.number(600_000), on: id, isLast: method != "Stall")
      try await eventually("the handler runs") { server.load.callsInFlight == 1 }
      try await peer.reset(id)
      try await service.cancelled.wait()
      try await eventually("the handler has returned") { server.load.callsInFlight == 0 }
    }
  }

  @Test func `a deadline ends the call and cancels the handler`() async throws {
    try await Self.withPeer { peer, service, _ in
      let (_, trailers) = try await peer.call(
        "/p/Wait", Self.number(600_000), [("grpc-timeout", "50m")])
      #expect(trailers["grpc-status"] == "4")
      try await service.cancelled.wait()
    }
  }

  @Test func `closing the connection cancels its calls`() async throws {
    try await Self.withPeer { peer, service, server in
      let id = try await peer.open("/p/Wait")
      try await peer.send(Self.number(600_000), on: id, isLast: true)
      try await eventually("the handler runs") { server.load.callsInFlight == 1 }
      try await peer.close()
      try await service.cancelled.wait()
      try await eventually("the connection is closed") { server.load.openConnections == 0 }
    }
  }

  @Test func `a writer waits until the client grants a window`() async throws {
    try await Self.withPeer(window: 20_000) { peer, _, server in
      // The second message waits, because the first one exceeds what a stream may hold unsent.
      let id = try await peer.open("/p/Blob")
      try await peer.send(Self.number(100_000), on: id, isLast: true)
      var bytes: [UInt8] = []
      while bytes.count < 20_000 {
        if case .data(let data) = await peer.next(id) { bytes += data }
      }
      #expect(bytes.count == 20_000)
      // Other streams of the connection are not held up.
      let (messages, _) = try await peer.call("/p/Echo", Self.number(1))
      #expect(try messages.map(Self.seconds) == [2])
      #expect(server.load.callsInFlight == 1)
      try await peer.grant(300_000, on: 0)
      try await peer.grant(300_000, on: id)
      let (_, trailers) = await peer.rest(of: id)
      #expect(trailers["grpc-status"] == "0")
    }
  }

  @Test func `a deadline ends a call whose client grants no window`() async throws {
    try await Self.withPeer(window: 1000) { peer, _, server in
      let id = try await peer.open("/p/Blob", [("grpc-timeout", "200m")])
      try await peer.send(Self.number(100_000), on: id, isLast: true)
      let (_, trailers) = await peer.rest(of: id)
      #expect(trailers["reset"] != nil || trailers["grpc-status"] == "4")
      try await eventually("the handler has returned") { server.load.callsInFlight == 0 }
    }
  }

  @Test func `a reader that is behind stops the sender, whose other calls go on`() async throws {
    var limits = ServerLimits()
    limits.wire.maximumMessageSize = 32_768
    limits.queuedBytesPerStream = 65_536
    try await Self.withPeer(limits: limits, window: 10_000_000) { peer, service, server in
      let id = try await peer.open("/p/Stall")
      let message = WireStatus(message: String(repeating: "x", count: 16_000)).serialized()
      let sender = Task { for _ in 0..<40 { try await peer.send(message, on: id) } }
      try await eventually("the window is used up") { server.load.bytesQueued > 40_000 }
      #expect(server.load.bytesQueued < 100_000)
      let (messages, _) = try await peer.call("/p/Echo", Self.number(1))
      #expect(try messages.map(Self.seconds) == [2])
      service.released.set()
      try await sender.value
      try await peer.reset(id)
    }
  }

  @Test func `streams that end with unread messages give their window back`() async throws {
    var limits = ServerLimits()
    limits.queuedBytesPerConnection = 65_536
    try await Self.withPeer(limits: limits) { peer, _, _ in
      let message = WireStatus(message: String(repeating: "x", count: 4000)).serialized()
      for _ in 0..<10 {
        let id = try await peer.open("/p/Stall")
        for _ in 0..<8 { try await peer.send(message, on: id) }
        try await peer.reset(id)
      }
      let (messages, _) = try await peer.call("/p/Echo", Self.number(1))
      #expect(try messages.map(Self.seconds) == [2])
    }
  }

  @Test func `a message above the limit is refused`() async throws {
    var limits = ServerLimits()
    limits.wire.maximumMessageSize = 1024
    try await Self.withPeer(limits: limits) { peer, _, _ in
      let (_, trailers) = try await peer.call("/p/Echo", [UInt8](repeating: 0, count: 1025))
      #expect(trailers["grpc-status"] == "8")
      #expect(trailers["grpc-message"] == "message of 1025 bytes exceeds the limit of 1024 bytes")
      let (_, large) = try await peer.call("/p/Large", Self.number(2000))
      #expect(large["grpc-status"] == "8")
    }
  }

  @Test func `malformed requests are refused`() async throws {
    try await Self.withPeer { peer, _, server in
      let flags = try await peer.open("/p/Echo")
      try await peer.send([1], on: flags, flag: 2, isLast: true)
      #expect(await peer.rest(of: flags).trailers["grpc-status"] == "13")
      let partial = try await peer.open("/p/Echo")
      try await peer.send([1], on: partial, length: 9, isLast: true)
      #expect(await peer.rest(of: partial).trailers["grpc-status"] == "13")
      let empty = try await peer.open("/p/Echo", isLast: true)
      #expect(await peer.rest(of: empty).trailers["grpc-status"] == "13")
      let two = try await peer.open("/p/Echo")
      try await peer.send(Self.number(1), on: two)
      try await peer.send(Self.number(1), on: two, isLast: true)
      #expect(await peer.rest(of: two).trailers["grpc-status"] == "3")
      // None of them is counted any more.
      #expect(server.load.callsInFlight == 0)
    }
  }

  @Test func `calls above the limit of a connection are refused, and endless ones end others`()
    async throws
  {
    var limits = ServerLimits()
    limits.callsPerConnection = 2
    limits.endlessCallsPerConnection = 3
    try await Self.withPeer(limits: limits) { peer, service, server in
      var watches: [Int] = []
      for _ in 0..<4 {
        let id = try await peer.open("/p/Watch")
        try await peer.send([], on: id, isLast: true)
        _ = await peer.next(id)
        watches.append(id)
      }
      #expect(await peer.rest(of: watches[0]).trailers["grpc-status"] == "8")
      var held: [Int] = []
      for _ in 0..<2 {
        let id = try await peer.open("/p/Hold")
        try await peer.send(Self.number(1), on: id, isLast: true)
        held.append(id)
      }
      try await server.wait(forCalls: 5)
      #expect(try await peer.call("/p/Echo", Self.number(1)).trailers["grpc-status"] == "8")
      // A method that answers from memory is answered all the same.
      #expect(try await peer.call("/p/Now", Self.number(1)).trailers["grpc-status"] == "0")
      service.released.set()
      for id in held { #expect(await peer.rest(of: id).trailers["grpc-status"] == "0") }
    }
  }

  @Test func `the limit on calls of the server holds`() async throws {
    var limits = ServerLimits()
    limits.calls = 1
    try await Self.withPeer(limits: limits) { peer, service, server in
      let id = try await peer.open("/p/Hold")
      try await peer.send(Self.number(1), on: id, isLast: true)
      try await eventually("it runs") { server.load.callsInFlight == 1 }
      let (_, trailers) = try await peer.call("/p/Echo", Self.number(1))
      #expect(trailers["grpc-status"] == "8")
      // A method that answers from memory is answered all the same.
      let (messages, _) = try await peer.call("/p/Now", Self.number(1))
      #expect(messages.count == 1)
      service.released.set()
      #expect(await peer.rest(of: id).trailers["grpc-status"] == "0")
    }
  }

  @Test func `a drain lets calls finish, ends watches and closes the connection`() async throws {
    try await Self.withPeer { peer, service, server in
      let watch = try await peer.open("/p/Watch")
      try await peer.send([], on: watch, isLast: true)
      _ = await peer.next(watch)
      let hold = try await peer.open("/p/Hold")
      try await peer.send(Self.number(4), on: hold, isLast: true)
      try await eventually("both run") { server.load.callsInFlight == 2 }
      server.drain()
      await peer.goAway()
      #expect(await peer.rest(of: watch).trailers["grpc-status"] == "14")
      service.released.set()
      let (messages, trailers) = await peer.rest(of: hold)
      #expect(try messages.map(Self.seconds) == [4])
      #expect(trailers["grpc-status"] == "0")
      try await peer.waitUntilClosed()
    }
  }

  @Test func `the error of a handler follows its messages through the client's window`()
    async throws
  {
    try await Self.withPeer(window: 1000) { peer, _, server in
      // The client does not end its requests.
      let id = try await peer.open("/p/Burst")
      try await peer.send(Self.number(5000), on: id)
      guard case .headers = await peer.next(id) else {
        Issue.record("no headers")
        return
      }
      try await eventually("the handler has returned") { server.load.callsInFlight == 0 }
      try await peer.grant(20_000, on: id)
      let (messages, trailers) = await peer.rest(of: id)
      #expect(messages.map(\.count) == [5003, 5003])
      #expect(trailers["grpc-status"] == "15")
      #expect(trailers["grpc-message"] == "burst")
    }
  }

  @Test func `a drain waits until the client's window has let a response pass`() async throws {
    try await Self.withPeer(window: 1000) { peer, _, server in
      let id = try await peer.open("/p/Large")
      try await peer.send(Self.number(5000), on: id, isLast: true)
      _ = await peer.next(id)
      try await eventually("the handler has returned") { server.load.callsInFlight == 0 }
      server.drain()
      await peer.goAway()
      try await peer.grant(10_000, on: id)
      let (messages, trailers) = await peer.rest(of: id)
      #expect(messages.map(\.count) == [5003])
      #expect(trailers["grpc-status"] == "0")
      try await peer.waitUntilClosed()
    }
  }

  @Test func `ttrpc, gRPC and HTTP share the socket`() async throws {
    try await withServer(
      routes: [HTTPRoute(path: "/hello") { _ throws(RPCError) in HTTPResponse(line: "hello") }]
    ) { path, _ in
      let grpc = try await GRPCPeer.connect(path)
      let http = try RawPeer(path: path)
      let ttrpc = try RawPeer(path: path)
      try await http.send(Array("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
      try await ttrpc.send(Golden.echoRequest)
      let (messages, _) = try await grpc.call("/p/Echo", Self.number(1))
      #expect(try messages.map(Self.seconds) == [2])
      #expect(try await ttrpc.receive(Golden.echoResponse.count) == Golden.echoResponse)
      #expect(String(decoding: try await http.receive(10_000), as: UTF8.self).contains("hello"))
      try await grpc.close()
    }
  }

  @Test func `the preface may arrive in parts`() async throws {
    try await withServer { path, server in
      let peer = try RawPeer(path: path)
      for byte in Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) { try await peer.send([byte]) }
      // An empty SETTINGS frame of the server begins with its length.
      let settings = try await peer.receive(9)
      #expect(settings[3] == 4)
      #expect(server.load.openConnections == 1)
    }
  }

  @Test(arguments: ["PRI", "PRI * HTTP/2.0\r\n\r\nSM\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
  func `a connection whose preface stays incomplete is closed`(_ part: String) async throws {
    var limits = ServerLimits()
    limits.frameTimeout = .milliseconds(50)
    try await withServer(limits: limits) { path, server in
      let peer = try RawPeer(path: path)
      try await peer.send(Array(part.utf8))
      try await eventually("the connection is closed") { server.load.openConnections == 0 }
    }
  }

  private static let incomplete: [(String, [UInt8])] = [
    ("a frame's header", HTTP2RawPeer.ping.dropLast(9)),
    ("a frame's payload", HTTP2RawPeer.ping.dropLast()),
    ("a header list", HTTP2RawPeer.frame(.headers, 1, HTTP2RawPeer.headerList("Echo"))),
    (
      "a header list after CONTINUATION",
      HTTP2RawPeer.frame(.headers, 1, HTTP2RawPeer.headerList("Echo"))
        + HTTP2RawPeer.frame(.continuation, 1)
    ),
    (
      "data after a frame",
      HTTP2RawPeer.open("Sum", 1) + HTTP2RawPeer.message([1, 2], 1).dropLast()
    ),
  ]

  @Test(arguments: incomplete)
  func `a connection with an incomplete frame is closed`(
    _ name: String, _ bytes: [UInt8]
  ) async throws {
    var limits = ServerLimits()
    limits.frameTimeout = .milliseconds(50)
    try await withServer(limits: limits) { path, server in
      let peer = try await HTTP2RawPeer(path: path)
      try await peer.send(bytes)
      try await eventually("the connection is closed") { server.load.openConnections == 0 }
    }
  }

  @Test func `a malformed preface closes the connection`() async throws {
    try await withServer { path, server in
      let peer = try RawPeer(path: path)
      try await peer.send(Array("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".utf8))
      try await eventually("the connection is closed") { server.load.openConnections == 0 }
    }
  }

  @Test func `a request that does not arrive completely is ended`() async throws {
    var limits = ServerLimits()
    limits.frameTimeout = .milliseconds(50)
    try await Self.withPeer(limits: limits) { peer, _, _ in
      let id = try await peer.open("/p/Echo")
      let (_, trailers) = await peer.rest(of: id)
      #expect(trailers["grpc-status"] == "4")
    }
  }
}

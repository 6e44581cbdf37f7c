import TestSupport
import Testing

@testable import GRPC
@testable import TTRPC

// The connection: its drain, the choice of the wire format, incomplete frames.

extension GRPCServerTests {
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

  @Test func `a drained stream sends its messages before its status`() async throws {
    try await Self.withPeer(window: 1000) { peer, _, server in
      let id = try await peer.open("/p/WatchBlob")
      try await peer.send(Self.number(5000), on: id, isLast: true)
      _ = await peer.next(id)
      server.drain()
      await peer.goAway()
      try await peer.grant(10_000, on: id)
      let (messages, trailers) = await peer.rest(of: id)
      #expect(messages.map(\.count) == [5003])
      #expect(trailers["grpc-status"] == "14")
      try await peer.waitUntilClosed()
    }
  }

  @Test func `closing a connection ends the handlers whose messages wait`() async throws {
    try await withServer(service: TestService()) { path, server in
      for _ in 0..<20 {
        let peer = try await GRPCPeer.connect(path, window: 1000)
        for _ in 0..<20 {
          let id = try await peer.open("/p/Blob")
          try await peer.send(Self.number(100_000), on: id, isLast: true)
        }
        try await peer.close()
      }
      try await server.waitUntilIdle()
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

  @Test func `a half-closed client receives the answers to its complete requests`() async throws {
    try await Self.withPeer { peer, service, server in
      let hold = try await peer.open("/p/Hold")
      try await peer.send(Self.number(4), on: hold, isLast: true)
      let incomplete = try await peer.open("/p/Echo")
      let sum = try await peer.open("/p/Sum")
      try await peer.send(Self.number(1), on: sum)
      try await eventually("the calls run") { server.load.callsInFlight == 2 }
      try await peer.finishSending()
      #expect(await peer.rest(of: incomplete).trailers["grpc-status"] == "1")
      #expect(await peer.rest(of: sum).trailers["grpc-status"] == "1")
      service.released.set()
      let (messages, trailers) = await peer.rest(of: hold)
      #expect(try messages.map(Self.seconds) == [4])
      #expect(trailers["grpc-status"] == "0")
      try await peer.waitUntilClosed()
      try await eventually("the connection is closed") { server.load.openConnections == 0 }
    }
  }

  @Test func `a half-closed client without calls is closed`() async throws {
    try await Self.withPeer { peer, _, server in
      _ = try await peer.call("/p/Echo", Self.number(1))
      try await peer.finishSending()
      try await peer.waitUntilClosed()
      try await eventually("the connection is closed") { server.load.openConnections == 0 }
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
    var limits = ServerLimits.patient
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
    (
      "a frame after a message that takes several turns",
      HTTP2RawPeer.compressedCall("Sum", 1, [UInt8](repeating: 0, count: 100_000), isLast: false)
        + HTTP2RawPeer.ping.dropLast()
    ),
  ]

  @Test(arguments: incomplete)
  func `a connection with an incomplete frame is closed`(
    _ name: String, _ bytes: [UInt8]
  ) async throws {
    var limits = ServerLimits.patient
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
    var limits = ServerLimits.patient
    limits.frameTimeout = .milliseconds(50)
    try await Self.withPeer(limits: limits) { peer, _, _ in
      let id = try await peer.open("/p/Echo")
      let (_, trailers) = await peer.rest(of: id)
      #expect(trailers["grpc-status"] == "4")
    }
  }
}

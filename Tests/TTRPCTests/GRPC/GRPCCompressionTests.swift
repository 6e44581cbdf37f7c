import NIOCore
import ProtobufC
import TestSupport
import Testing

@testable import GRPC
@testable import TTRPC

/// Compressed requests.
@Suite(.timeLimit(.minutes(15))) struct GRPCCompressionTests {
  private static let gzipEncoding = [("grpc-encoding", "gzip")]

  private static func text(_ length: Int) -> [UInt8] {
    WireStatus(message: String(repeating: "x", count: length)).serialized()
  }

  @Test func `a compressed request is answered without compression`() async throws {
    try await GRPCServerTests.withPeer { peer, _, _ in
      let id = try await peer.open("/p/Echo", Self.gzipEncoding)
      try await peer.send(gzip(GRPCServerTests.number(5)), on: id, flag: 1, isLast: true)
      guard case .headers(let headers, isLast: false) = await peer.next(id) else {
        Issue.record("no headers")
        return
      }
      #expect(headers["grpc-encoding"] == nil)
      #expect(headers["grpc-accept-encoding"] == "identity,gzip")
      guard case .data(let data) = await peer.next(id) else {
        Issue.record("no data")
        return
      }
      #expect(data.first == 0)
      #expect(try GRPCServerTests.seconds(Array(data.dropFirst(5))) == 6)
      #expect(await peer.rest(of: id).trailers["grpc-status"] == "0")
    }
  }

  @Test(arguments: ["gzip", "identity"])
  func `a request that is not compressed may name an encoding`(_ encoding: String) async throws {
    try await GRPCServerTests.withPeer { peer, _, _ in
      let (messages, _) = try await peer.call(
        "/p/Echo", GRPCServerTests.number(5), [("grpc-encoding", encoding)])
      #expect(try messages.map(GRPCServerTests.seconds) == [6])
    }
  }

  @Test func `a connection whose requests grow when they are decompressed is read slowly`()
    async throws
  {
    var limits = ServerLimits.patient
    limits.wastedFramesPerSecond = 1
    try await GRPCServerTests.withPeer(limits: limits) { peer, _, _ in
      // It grows by more than 50 times 8 KiB, so the connection pauses for a second, the maximum.
      let request = gzip(Self.text(4_000_000))
      let began = ContinuousClock.now
      for _ in 0..<3 {
        let id = try await peer.open("/p/Echo", Self.gzipEncoding)
        try await peer.send(request, on: id, flag: 1, isLast: true)
        #expect(await peer.rest(of: id).trailers["grpc-status"] != nil)
      }
      #expect(ContinuousClock.now - began > .milliseconds(1900))
    }
  }

  @Test func `each request of a stream has a flag of its own`() async throws {
    try await GRPCServerTests.withPeer { peer, _, _ in
      let id = try await peer.open("/p/Bidi", Self.gzipEncoding)
      for number in 1...6 as ClosedRange<Int64> {
        let message = GRPCServerTests.number(number)
        let isCompressed = number.isMultiple(of: 2)
        try await peer.send(
          isCompressed ? gzip(message) : message, on: id, flag: isCompressed ? 1 : 0)
      }
      try await peer.end(id)
      let (messages, trailers) = await peer.rest(of: id)
      #expect(try messages.map(GRPCServerTests.seconds) == Array(2...7))
      #expect(trailers["grpc-status"] == "0")
    }
  }

  @Test(arguments: ["br", "deflate", "GZIP", "gzip,identity", ""])
  func `an unknown encoding is unimplemented`(_ encoding: String) async throws {
    try await GRPCServerTests.withPeer { peer, _, _ in
      let (messages, trailers) = try await peer.call(
        "/p/Echo", [], [("grpc-encoding", encoding)])
      #expect(messages.isEmpty)
      #expect(trailers["grpc-status"] == "12")
      let message = GRPCResponse.percentEncoded("unsupported grpc-encoding \(encoding)")
      #expect(trailers["grpc-message"] == message)
      #expect(trailers["grpc-accept-encoding"] == "identity,gzip")
    }
  }

  @Test(arguments: [[], [("grpc-encoding", "identity")]])
  func `a compressed message without an encoding is an internal error`(
    _ headers: [(String, String)]
  ) async throws {
    try await GRPCServerTests.withPeer { peer, _, server in
      let id = try await peer.open("/p/Echo", headers)
      try await peer.send(gzip(GRPCServerTests.number(5)), on: id, flag: 1, isLast: true)
      let (_, trailers) = await peer.rest(of: id)
      #expect(trailers["grpc-status"] == "13")
      #expect(trailers["grpc-message"] == "compressed message in a call without grpc-encoding")
    }
  }

  @Test(arguments: ["Echo", "Sum"])
  func `a message that is not valid gzip is an internal error`(_ method: String) async throws {
    try await GRPCServerTests.withPeer { peer, _, server in
      let message = gzip(GRPCServerTests.number(5))
      for bytes in [Array(message.dropLast()), message + [0], [1, 2, 3]] {
        let id = try await peer.open("/p/\(method)", Self.gzipEncoding)
        try await peer.send(bytes, on: id, flag: 1, isLast: true)
        let (_, trailers) = await peer.rest(of: id)
        #expect(trailers["grpc-status"] == "13")
        #expect(trailers["grpc-message"] == "compressed message is not valid gzip")
      }
      try await server.waitUntilIdle()
      try await eventually("no byte is queued") { server.load.bytesQueued == 0 }
    }
  }

  @Test(arguments: ["Echo", "Sum"])
  func `the limit applies to the decompressed message`(_ method: String) async throws {
    var limits = ServerLimits.patient
    limits.wire.maximumMessageSize = 1024
    try await GRPCServerTests.withPeer(limits: limits) { peer, _, server in
      for length in [1025, 100_000, 1_000_000] {
        let message = gzip([UInt8](repeating: 0, count: length))
        try #require(message.count <= 1024)
        let id = try await peer.open("/p/\(method)", Self.gzipEncoding)
        try await peer.send(message, on: id, flag: 1, isLast: true)
        let (_, trailers) = await peer.rest(of: id)
        #expect(trailers["grpc-status"] == "8")
        #expect(
          trailers["grpc-message"] == "decompressed message exceeds the limit of 1024 bytes")
      }
      try await server.waitUntilIdle()
      try await eventually("no byte is queued") { server.load.bytesQueued == 0 }
    }
  }

  @Test func `a client that has closed its end gets one GOAWAY frame`() async throws {
    var limits = ServerLimits.patient
    limits.wire.maximumMessageSize = 131_072
    limits.queuedBytesPerStream = 65_536
    let service = TestService()
    try await withServer(limits: limits, service: service) { path, _ in
      let peer = try await HTTP2RawPeer(path: path, window: 1 << 20)
      try await peer.send(HTTP2RawPeer.windowUpdate(0, 1 << 20))
      // Each message is decoded in two turns, when the handler has taken the one before.
      let message = Self.text(100_000)
      var request = HTTP2RawPeer.compressedCall("Stall", 1, message, isLast: false)
      for number in 1...4 {
        request += HTTP2RawPeer.compressedMessage(1, message, isLast: number == 4)
      }
      try await peer.send(request)
      peer.finishSending()
      #expect(try await peer.next(.goAway) != nil)
      service.released.set()
      #expect(try await peer.next(.goAway) == nil)
    }
  }

  @Test func `messages that grow wait within the limit of the stream's queue`() async throws {
    var limits = ServerLimits.patient
    limits.wire.maximumMessageSize = 32_768
    limits.queuedBytesPerStream = 65_536
    // The queued bytes are reported in steps of a quarter.
    limits.frameTimeout = .milliseconds(400)
    try await GRPCServerTests.withPeer(limits: limits, window: 10_000_000) {
      peer, service, server in
      let id = try await peer.open("/p/Stall", Self.gzipEncoding)
      let message = gzip(Self.text(30_000))
      #expect(message.count < 200)
      // 3 million bytes, of which no more than the queue's are decompressed at a time.
      for _ in 0..<100 { try await peer.send(message, on: id, flag: 1) }
      try await peer.end(id)
      try await eventually("the queue is full") { server.load.bytesQueued > 65_536 }
      _ = try await peer.call("/p/Echo", GRPCServerTests.number(1))
      #expect(server.load.bytesQueued < 65_536 + 32_768 + 100 * 200)
      service.released.set()
      let (messages, trailers) = await peer.rest(of: id)
      #expect(messages.count == 100)
      #expect(trailers["grpc-status"] == "0")
      try await eventually("no byte is queued") { server.load.bytesQueued == 0 }
    }
  }
}

import TestSupport
import Testing

@testable import GRPC
@testable import TTRPC

// Clients that grant a small window, or read nothing.

extension GRPCAbuseTests {
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
    var limits = ServerLimits.patient
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
    var limits = ServerLimits.patient
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

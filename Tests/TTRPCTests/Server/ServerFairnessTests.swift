import NIOConcurrencyHelpers
import ProtobufC
import TestSupport
import Testing

@testable import TTRPC

/// Fairness between peers, and the delivery of answers before a connection closes.
@Suite(.timeLimit(.minutes(15))) struct ServerFairnessTests {
  @Test func `a frame waits only for a part of another connection's burst`()
    async throws
  {
    let service = TestService()
    try await withServer(service: service) { path, server in
      let (greedy, modest) = (try RawPeer(path: path), try RawPeer(path: path))
      try await modest.send(requestFrames("Echo", [0]))
      _ = try await modest.receiveFrame()
      // All requests arrive while the server's thread is blocked.
      try await greedy.send(requestFrames("Block", [0]))
      try await server.wait(forCalls: 1)
      try await greedy.send(requestFrames("Note", 1...500))
      try await modest.send(requestFrames("Note", [1000]))
      service.released.set()
      _ = try await modest.receiveFrame()
      for _ in 0...500 { _ = try await greedy.receiveFrame() }
      let notes = service.notes.withLockedValue { $0 }
      #expect(notes.filter { $0 <= 500 } == Array(1...500))
      let position = try #require(notes.firstIndex(of: 1000))
      // A connection that is alone on its event loop has four read quotas in a row.
      #expect(position <= 5 * ServerLimits().framesPerRead)
    }
  }

  @Test func `a peer that sends many requests and closes its end gets every answer`() async throws {
    try await withServer { path, _ in
      let peer = try RawPeer(path: path)
      try await peer.send(requestFrames("Echo", 0..<1000))
      peer.finishSending()
      for number in 0..<1000 {
        let outcome = try outcome(of: try await peer.receiveFrame())
        let answer = try WireDuration(serialized: try outcome.get())
        #expect(answer.seconds == Int64(number) + 1)
      }
      #expect(try await peer.isClosed())
    }
  }

  @Test func `received requests are answered before a drained connection closes`() async throws {
    var limits = ServerLimits.patient
    limits.framesPerRead = 1
    let service = TestService()
    try await withServer(limits: limits, service: service) { path, server in
      let peer = try RawPeer(path: path)
      try await peer.send(requestFrames("Hold", [0]))
      try await server.wait(forCalls: 1)
      server.drain()
      try await eventually("the listener is closed") { (try? RawPeer(path: path)) == nil }
      // Few enough for one read: the server closes without knowing what else the socket holds.
      try await peer.send(requestFrames("Echo", 1...50))
      service.released.set()
      var answers = 0
      while let frame = try await peer.receiveFrame() {
        _ = try outcome(of: frame)
        answers += 1
      }
      #expect(answers == 51)
    }
  }

  @Test(arguments: [false, true])
  func `queued answers reach a peer that reads late`(drains: Bool) async throws {
    try await withServer { path, server in
      let peer = try RawPeer(path: path)
      // More than the socket buffer holds.
      try await peer.send(requestFrames("Large", 0..<4, seconds: 1_000_000))
      try await eventually("the answers are queued") { server.load.bytesQueued >= 3_000_000 }
      if drains {
        server.drain()
        try await eventually("the listener is closed") { (try? RawPeer(path: path)) == nil }
      } else {
        peer.finishSending()
        // The server's only thread has read the end once it answers a later connection.
        let other = try RawPeer(path: path)
        try await other.send(requestFrames("Echo", [0]))
        _ = try await other.receiveFrame()
      }
      for _ in 0..<4 {
        let outcome = try outcome(of: try await peer.receiveFrame())
        #expect(try outcome.get().count > 1_000_000)
      }
      #expect(try await peer.isClosed())
    }
  }
}

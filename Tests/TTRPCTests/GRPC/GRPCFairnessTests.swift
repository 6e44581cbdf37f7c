import NIOConcurrencyHelpers
import ProtobufC
import TestSupport
import Testing

@testable import GRPC
@testable import TTRPC

/// Fairness between connections that speak gRPC, and between the streams of one.
@Suite(.timeLimit(.minutes(15))) struct GRPCFairnessTests {
  private typealias Peer = HTTP2RawPeer

  private static func note(_ number: Int64, _ streamID: Int) -> [UInt8] {
    Peer.call("Note", streamID, GRPCServerTests.number(number))
  }

  /// A call with as many bytes as the windows permit.
  private static func longRequest(_ streamID: Int) -> [UInt8] {
    let message = WireStatus(message: String(repeating: "x", count: 60_000)).serialized()
    let data = [0] + Peer.integer(message.count) + message
    let pieces = stride(from: 0, to: data.count, by: 16_000).map { start in
      let end = min(start + 16_000, data.count)
      return Peer.frame(
        .data, flags: end == data.count ? Peer.endStream : 0, streamID, Array(data[start..<end]))
    }
    return Peer.open("Sum", streamID) + pieces.joined()
  }

  /// Sends bytes of one connection and then a call of another while the server's thread is blocked,
  /// and returns the notes of both in the order of their calls.
  private static func notes(_ count: Int, greedy bytes: [UInt8]) async throws -> [Int64] {
    let service = TestService()
    try await withServer(service: service) { path, server in
      let (greedy, modest) = (try await Peer(path: path), try await Peer(path: path))
      #expect(try await modest.isOpen())
      // The more has arrived, the more is read at once.
      for streamID in [1, 3, 5] {
        try await greedy.send(longRequest(streamID))
        #expect(try await greedy.next(.headers, on: streamID) != nil)
      }
      try await greedy.send(Peer.call("Block", 7, GRPCServerTests.number(0)))
      try await server.wait(forCalls: 1)
      try await greedy.send(bytes)
      try await modest.send(note(1000, 1))
      service.released.set()
      try await eventually("all calls are noted") {
        service.notes.withLockedValue { $0.count } == count + 1
      }
    }
    return service.notes.withLockedValue { $0 }
  }

  @Test func `a call waits only for a part of another connection's burst`() async throws {
    let burst = (1...300).flatMap { Self.note($0, 2 * Int($0) + 7) }
    let notes = try await Self.notes(300, greedy: burst)
    #expect(notes.filter { $0 <= 300 } == Array(1...300))
    let position = try #require(notes.firstIndex(of: 1000))
    // A connection that is alone on its event loop has four read quotas in a row.
    #expect(position <= 5 * ServerLimits().framesPerRead)
  }

  @Test func `a call waits only for a part of another connection's decompression`() async throws {
    // Bytes of a field that the method does not know, after a number.
    let message =
      GRPCServerTests.number(5) + [0x7a, 0x80, 0x92, 0xf4, 0x01]
      + [UInt8](repeating: 0, count: 4_000_000)
    let greedy = Peer.compressedCall("Note", 9, message)
    #expect(try await Self.notes(1, greedy: greedy) == [1000, 5])
  }

  @Test func `all calls of a client that closes its end after a burst are served`() async throws {
    let service = TestService()
    try await withServer(service: service) { path, server in
      let peer = try await Peer(path: path)
      try await peer.send(Peer.call("Block", 1, GRPCServerTests.number(0)))
      try await server.wait(forCalls: 1)
      // The burst and its end arrive together.
      let message = GRPCServerTests.number(7)
      try await peer.send(
        (1...300).flatMap { Peer.compressedCall("Note", 2 * $0 + 1, message) })
      peer.finishSending()
      service.released.set()
      #expect(try await peer.rest()?.code == 0)
    }
    #expect(service.notes.withLockedValue { $0 } == Array(repeating: 7, count: 300))
  }

  @Test func `the messages of all streams that wait for their windows are limited`() async throws {
    var limits = ServerLimits.patient
    limits.queuedBytesPerConnection = 1_000_000
    try await GRPCServerTests.withPeer(limits: limits, window: 0) { peer, _, server in
      for _ in 0..<40 {
        let id = try await peer.open("/p/WatchBlob")
        try await peer.send(GRPCServerTests.number(50_000), on: id, isLast: true)
      }
      // The answer shows that all of them have started.
      #expect(try await peer.call("/p/Nothing", []).trailers["grpc-status"] == "12")
      try await eventually("the calls above the limit have ended") {
        server.load.callsInFlight == 20
      }
      #expect(server.load.bytesQueued < 1_100_000)
    }
  }

  @Test func `a message is sent once another stream has ended in its favor`() async throws {
    var limits = ServerLimits.patient
    limits.queuedBytesPerConnection = 210_000
    try await GRPCServerTests.withPeer(limits: limits, window: 0) { peer, _, server in
      func open(_ method: String, _ bytes: Int64) async throws -> Int {
        let id = try await peer.open("/p/\(method)")
        try await peer.send(GRPCServerTests.number(bytes), on: id, isLast: true)
        return id
      }
      // The second of two messages waits.
      let greedy = try await open("Blob", 100_000)
      try await eventually("two messages wait") { server.load.bytesQueued > 200_000 }
      _ = try await open("WatchBlob", 15_000)
      try await eventually("three messages wait") { server.load.bytesQueued > 215_000 }
      let modest = try await open("WatchBlob", 10_000)
      let trailers = await peer.rest(of: greedy).trailers
      #expect(trailers["reset"] != nil || trailers["grpc-status"] == "8")
      try await peer.grant(20_000, on: modest)
      guard case .headers(_, isLast: false) = await peer.next(modest) else {
        Issue.record("no headers")
        return
      }
      var bytes = 0
      while bytes < 10_000 {
        guard case .data(let data) = await peer.next(modest) else { break }
        bytes += data.count
      }
      #expect(bytes > 10_000)
    }
  }
}

import TestSupport
import Testing

@testable import GRPC
@testable import TTRPC

// Limits on messages and calls, and malformed requests.

extension GRPCServerTests {
  @Test func `a message above the limit is refused`() async throws {
    var limits = ServerLimits.patient
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
    var limits = ServerLimits.patient
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

  @Test func `responses that no window lets pass close the connection above the limit`()
    async throws
  {
    var limits = ServerLimits.patient
    limits.queuedBytesPerConnection = 1_000_000
    try await Self.withPeer(limits: limits, window: 0) { peer, service, server in
      for _ in 0..<20 {
        let id = try await peer.open("/p/LateBlob")
        try await peer.send(Self.number(100_000), on: id, isLast: true)
      }
      try await server.wait(forCalls: 20)
      service.released.set()
      try await peer.waitUntilClosed()
      try await server.waitUntilIdle()
    }
  }

  @Test func `the limit on calls of the server holds`() async throws {
    var limits = ServerLimits.patient
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
}

import ProtobufC
import TestSupport
import Testing

@testable import GRPC
@testable import TTRPC

// Streams of messages, their windows and their ends.

extension GRPCServerTests {
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
    var limits = ServerLimits.patient
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
    var limits = ServerLimits.patient
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
}

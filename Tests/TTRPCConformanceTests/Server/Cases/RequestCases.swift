import TTRPC
import Testing

extension ServerCase {
  /// Ids, metadata and limits.
  static let requests: [ServerCase] = [
    dialog("ids: any ids may be skipped, up to the highest") { peer in
      for streamID: UInt32 in [1, 5, 1001, 0x7fff_ffff, 0x8000_0001, .max - 2, .max] {
        try await peer.proveAlive(as: streamID)
      }
      try await peer.send(.request(.max, "Echo"))
      try await peer.expect(code: 3, on: .max)
      try await peer.send(.request(1003, "Echo"))
      try await peer.expect(code: 3, on: 1003)
    },
    dialog("ids: concurrent calls may arrive out of order", needs: .idsOutOfOrder) { peer in
      // As if callers took their ids in one order and wrote their requests in another.
      let ids = (0..<2000).map { UInt32(2 * $0 + 1) }
      let swapped = stride(from: 0, to: ids.count, by: 200).flatMap {
        ids[$0..<$0 + 200].reversed()
      }
      for streamID in swapped {
        try await peer.send(.request(streamID, "Echo", Proto.integer(1, Int64(streamID))))
        try await peer.expect(.response(streamID, Int64(streamID) + 1))
      }
    },
    dialog("ids: answers arrive as they are ready, each on its own stream") { peer in
      try await peer.send(
        .request(1, "Hold", Proto.integer(1, -7)), .request(3, "Echo"),
        .request(5, "Release", Proto.integer(1, -7)))
      try await peer.expect(.response(3, 1), .response(5, -7), .response(1, -7))
    },
    ServerCase("ids: each connection has its own ids") { target in
      let first = try target.connect()
      let second = try target.connect()
      for peer in [first, second, first, second].enumerated() {
        try await peer.element.proveAlive(as: peer.offset < 2 ? 1 : 3)
      }
      try await first.finish()
      try await second.finish()
    },
    dialog("metadata: the values of a key keep their order") { peer in
      try await peer.send(.request(1, "Metadata", metadata: ["v": "b", "x": "c", "v": "a"]))
      #expect(try await peer.answer(on: 1).blob == Array("b,a".utf8))
    },
    dialog("metadata: keys are case-insensitive") { peer in
      try await peer.send(.request(1, "Metadata", metadata: ["V": "é", "v": ""]))
      #expect(try await peer.answer(on: 1).blob == Array("é,".utf8))
    },
    dialog("metadata: a call may have no metadata") { peer in
      try await peer.send(.request(1, "Metadata"))
      #expect(try await peer.answer(on: 1).blob == [])
    },
    dialog("envelope: reordered, repeated and unknown fields are read as in protobuf") {
      peer in
      let envelope =
        Proto.integer(14, 9) + Proto.bytes(3, [0x08, 1]) + Proto.text(2, "nope")
        + Proto.text(2, "Echo") + Proto.bytes(13, [0xff]) + Proto.text(1, "p")
        + Proto.bytes(3, Proto.integer(1, 41))
      try await peer.send(Frame(1, 1, envelope))
      try await peer.expect(.response(1, 42))
    },
    dialog("limits: calls per connection", limits: .with { $0.callsPerConnection = 2 }) { peer in
      try await peer.send(
        .request(1, "Hold", Proto.integer(1, -8)),
        .request(3, "Sum", flags: 0x06, timeout: 600_000_000_000),
        .request(5, "Echo"))
      try await peer.expect(code: 8, on: 5)
      try await peer.send(.end(3))
      try await peer.expect(.response(3, 0))
      try await peer.send(.request(7, "Release", Proto.integer(1, -8)))
      try await peer.expect(.response(7, -8), .response(1, -8))
    },
    dialog(
      "limits: streams without a deadline leave other calls their capacity",
      limits: .with {
        $0.callsPerConnection = 1
        $0.endlessCallsPerConnection = 2
      }
    ) { peer in
      for streamID: UInt32 in [1, 3] {
        try await peer.send(.request(streamID, "Watch", flags: 0x01))
        try await peer.expect(.data(streamID, 1))
      }
      // The oldest stream ends, before or after the first message of the newest.
      try await peer.send(.request(5, "Watch", flags: 0x01))
      try await peer.expect(code: 8, on: 1)
      #expect(try await peer.next(on: 5) == .data(5, 1))
      try await peer.proveAlive(as: 7)
      try await peer.send(.cancel(3), .cancel(5))
      try await peer.expect(code: 1, on: 3)
      try await peer.expect(code: 1, on: 5)
    },
    ServerCase("limits: calls of the whole server", limits: .with { $0.calls = 1 }) { target in
      let first = try target.connect()
      let second = try target.connect()
      try await first.send(
        .request(1, "Sum", flags: 0x06, timeout: 600_000_000_000), .data(1, 1))
      for streamID in stride(from: UInt32(1), to: 20_000, by: 2) {
        try await second.send(.request(streamID, "Echo"))
        // Repeats until the server has counted the other connection's call.
        if try await second.answer(on: streamID).code == 8 { break }
      }
      try await second.send(.request(99_999, "Echo"))
      try await second.expect(code: 8, on: 99_999)
      try await first.send(.end(1))
      try await first.expect(.response(1, 1))
      try await first.finish()
      try await second.proveAlive(as: 100_001)
      try await second.finish()
    },
    dialog(
      "limits: message sizes",
      limits: .with { $0.wire = WireLimits(maximumMessageSize: 64) }
    ) { peer in
      let longest = [UInt8](repeating: 7, count: 64 - 20)
      try await peer.send(.request(1, "Echo", metadata: ["k": String(repeating: "v", count: 60)]))
      try await peer.expect(code: 8, on: 1)
      try await peer.send(.request(3, "Large", Proto.integer(1, 60)))
      try await peer.expect(.response(3, bytes: 60))
      try await peer.send(.request(5, "Large", Proto.integer(1, 61)))
      try await peer.expect(code: 8, on: 5)
      try await peer.send(.request(7, "Stall", flags: 0x06), Frame(3, 7, Proto.bytes(1, longest)))
      try await peer.send(Frame(3, 7, [UInt8](repeating: 0, count: 65)))
      try await peer.expect(code: 8, on: 7)
    },
    ServerCase(
      "limits: queued bytes per connection",
      limits: .with {
        $0.wire = WireLimits(maximumMessageSize: 65_536)
        $0.queuedBytesPerStream = 1_000_000
        $0.queuedBytesPerConnection = 200_000
        $0.slowReaderTimeout = .milliseconds(100)
      }
    ) { target in
      let peer = try target.connect()
      let key = newKey()
      try await peer.send(
        .request(1, "Stall", flags: 0x06, metadata: ["k": "\(key)"]),
        .request(3, "Stall", flags: 0x06, metadata: ["k": "\(key)"]))
      let block = Proto.bytes(1, [UInt8](repeating: 7, count: 50_000))
      for _ in 0..<3 { try await peer.send(Frame(3, 1, block)) }
      try await peer.send(Frame(3, 3, block))
      try await peer.expect(code: 8, on: 1)
      try await target.release(key)
      try await peer.send(.end(3))
      try await peer.expect(Frame(3, 3, block), .end(3))
      try await peer.finish()
    },
  ]
}

extension ServerLimits {
  /// Returns the default limits with changes.
  static func with(_ change: (inout ServerLimits) -> Void) -> ServerLimits {
    var limits = ServerLimits()
    change(&limits)
    return limits
  }
}

extension Frame {
  /// Returns the answer of `Large` with `count` bytes.
  static func response(_ streamID: UInt32, bytes count: Int) -> Frame {
    let blob = Proto.bytes(1, [UInt8](repeating: 0x78, count: count))
    return Frame(2, streamID, Proto.bytes(2, blob))
  }
}

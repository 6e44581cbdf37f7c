import TTRPC
import Testing

extension ServerCase {
  /// Concurrent streams and slow streams.
  static let streams: [ServerCase] = [
    dialog("streams: many concurrent streams with interleaved messages", needs: .streams) { peer in
      let streamIDs = Array(stride(from: UInt32(1), to: 400, by: 2))
      for streamID in streamIDs { try await peer.send(.request(streamID, "Bidi", flags: 0x06)) }
      for round in 0..<Int64(10) {
        for streamID in streamIDs { try await peer.send(.data(streamID, Int64(streamID) + round)) }
      }
      for streamID in streamIDs { try await peer.send(.end(streamID)) }
      for streamID in streamIDs {
        for round in 0..<Int64(10) {
          let frame = try await peer.next(on: streamID)
          try #require(frame == .data(streamID, Int64(streamID) + round + 1))
        }
        #expect(try await peer.next(on: streamID) == .end(streamID))
      }
    },
    dialog("streams: interleaved calls of all shapes", needs: .streams) { peer in
      try await peer.send(
        .request(1, "Bidi", flags: 0x06), .request(3, "Sum", flags: 0x02),
        .request(5, "Many", Proto.integer(1, 3), flags: 0x01), .data(1, 1), .data(3, 1),
        .request(7, "Echo", Proto.integer(1, 1)), .data(3, 2), .end(3), .request(9, "Boom"),
        .data(1, 2), .end(1))
      for frame in [
        .data(1, 2), .data(1, 3), .end(1), .response(3, 2), .data(5, 1), .data(5, 2), .data(5, 3),
        .end(5), .response(7, 2), .data(9, 1), .status(9, 2, "boom"),
      ] as [Frame] {
        #expect(try await peer.next(on: frame.streamID) == frame)
      }
    },
    dialog("streams: a long stream arrives complete and in order", needs: .streams) { peer in
      try await peer.send(.request(1, "Many", Proto.integer(1, 50_000), flags: 0x01))
      for number in 1...Int64(50_000) {
        let frame = try await peer.next()
        try #require(frame == .data(1, number))
      }
      try await peer.expect(.end(1))
    },
    ServerCase("streams: a stream that its handler does not read delays no other", needs: .streams)
    {
      target in
      let key = newKey()
      let peer = try target.connect()
      try await peer.send(.request(1, "Stall", flags: 0x06, metadata: ["k": "\(key)"]))
      let block = Frame(3, 1, Proto.bytes(1, [UInt8](repeating: 7, count: 10_000)))
      try await peer.send(.request(3, "Bidi", flags: 0x06))
      for number in 0..<Int64(100) {
        try await peer.send(block, .data(3, number))
        #expect(try await peer.next() == .data(3, number + 1))
      }
      try await peer.send(.end(1), .end(3))
      try await peer.expect(.end(3))
      try await target.release(key)
      for _ in 0..<100 {
        let frame = try await peer.next()
        try #require(frame == block)
      }
      try await peer.expect(.end(1))
      try await peer.finish()
    },
    ServerCase(
      "streams: a stream that its handler does not read fails alone at its limit",
      needs: [.streams, .limits]
    ) { target in
      let key = newKey()
      let peer = try target.connect()
      try await peer.send(
        .request(1, "Stall", flags: 0x06, metadata: ["k": "\(key)"]),
        .request(3, "Bidi", flags: 0x06))
      let block = Frame(3, 1, Proto.bytes(1, [UInt8](repeating: 7, count: 1_000_000)))
      for number in 0..<Int64(10) { try await peer.send(block, .data(3, number)) }
      try await peer.expect(code: 8, on: 1)
      for number in 0..<Int64(10) {
        #expect(try await peer.next(on: 3) == .data(3, number + 1))
      }
      try await target.waitUntil(0, run: key)
      try await peer.finish()
    },
    ServerCase("streams: a peer that does not read delays no other", needs: .streams) { target in
      let key = newKey()
      var stalledPeer: Conversation? = try target.connect()
      try await stalledPeer?.send(
        .request(
          1, "Many", Proto.integer(1, .max), flags: 0x01, metadata: ["k": "\(key)"]))
      try await target.waitUntil(1, run: key)
      let other = try target.connect()
      try await other.send(.request(1, "Many", Proto.integer(1, 10_000), flags: 0x01))
      for number in 1...Int64(10_000) {
        let frame = try await other.next()
        try #require(frame == .data(1, number))
      }
      try await other.expect(.end(1))
      try await other.finish()
      if let server = target.server { #expect(server.load.bytesQueued < 4_194_304) }
      stalledPeer = nil
      try await target.waitUntil(0, run: key)
    },
    dialog(
      "streams: a peer that reads late gets every message", needs: .streams
    ) { peer in
      for streamID in stride(from: UInt32(1), to: 20, by: 2) {
        try await peer.send(.request(streamID, "Many", Proto.integer(1, 5000), flags: 0x01))
      }
      try await peer.send(.request(21, "Large", Proto.integer(1, 1_000_000)))
      for streamID in stride(from: UInt32(1), to: 20, by: 2) {
        for number in 1...Int64(5000) {
          let frame = try await peer.next(on: streamID)
          try #require(frame == .data(streamID, number))
        }
        #expect(try await peer.next(on: streamID) == .end(streamID))
      }
      let answer = try await peer.answer(on: 21)
      #expect(try answer.blob.count == 1_000_000)
    },
    dialog("streams: a message of exactly the size limit is accepted", needs: .streams) { peer in
      // The message has an unknown field that pads it to the limit.
      let block = Proto.bytes(1, [UInt8](repeating: 7, count: Mistake.longest - 5))
      try await peer.send(.request(1, "Bidi", flags: 0x06))
      try await peer.send(Frame(3, 1, [0x7a] + block.dropFirst()), .end(1))
      try await peer.expect(.data(1, 1), .end(1))
    },
  ]
}

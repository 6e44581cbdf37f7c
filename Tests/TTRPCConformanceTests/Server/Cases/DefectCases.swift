import TTRPC
import TestSupport
import Testing

extension ServerCase {
  /// Cases for known defects of containerd's library, which this suite numbers.
  ///
  /// D8 is a defect of the client. `ClientConnectionTests` tests it.
  static let defects: [ServerCase] = [
    ServerCase("D1: data on a running unary call ends that call only") { target in
      let key = newKey()
      let peer = try target.connect()
      try await peer.send(
        .request(1, "Hold", Proto.integer(1, key), metadata: ["k": "\(key)"]),
        .request(3, "Hold", Proto.integer(1, key)))
      try await target.waitUntil(1, run: key)
      try await peer.send(.data(1, 1), .data(1, 2), .end(1))
      try await peer.expect(code: 3, on: 1)
      try await target.waitUntil(0, run: key)
      try await target.release(key)
      try await peer.expect(.response(3, key))
      try await peer.finish()
    },
    ServerCase("D2: no input from a peer ends the process") { target in
      let other = try target.connect()
      try await other.proveAlive(as: 1)
      var random = SeededGenerator(seed: 1)
      for _ in 0..<200 {
        let peer = try target.connect()
        var bytes: [UInt8] = []
        for streamID in stride(from: UInt32(1), to: 20, by: 2) {
          bytes += hostileFrame(streamID, &random).bytes
        }
        try await peer.send(bytes: bytes)
        await peer.finishSending()
        while try await peer.next() != nil {}
      }
      try await other.proveAlive(as: 3)
      try await other.finish()
    },
    ServerCase("D3: a drain answers running calls and refuses new ones", needs: .inProcess) {
      target in
      let server = try #require(target.server)
      let key = newKey()
      let peer = try target.connect()
      try await peer.send(
        .request(1, "Sum", flags: 0x06, metadata: ["k": "\(key)"]),
        .request(3, "Bidi", flags: 0x06, metadata: ["k": "\(key)"]))
      try await target.waitUntil(2, run: key)
      server.drain()
      var streamID: UInt32 = 5
      // The connection notices the drain some time later.
      while true {
        try await peer.send(.request(streamID, "Echo"))
        let answer = try await peer.answer(on: streamID)
        if answer.code != 0 {
          #expect(answer.code == 14)
          break
        }
        streamID += 2
      }
      try await peer.send(.data(1, 1), .data(3, 1), .end(1))
      #expect(try await peer.next(on: 3) == .data(3, 2))
      #expect(try await peer.next(on: 1) == .response(1, 1))
      try await peer.send(.end(3))
      try await peer.expect(.end(3))
      try await peer.expectClosed()
      try await peer.finish()
    },
    ServerCase("D4: the count of running calls is exact", needs: .inProcess) { target in
      let server = try #require(target.server)
      let key = newKey()
      let peer = try target.connect()
      try await peer.send(
        .request(1, "Hold", Proto.integer(1, key), metadata: ["k": "\(key)"]),
        .request(3, "Sum", flags: 0x06, metadata: ["k": "\(key)"]))
      try await target.waitUntil(2, run: key)
      #expect(server.load.callsInFlight == 2)
      for mistake in Mistake.all {
        try await mistake.make(on: target)
      }
      try await eventually("2 calls are in flight") { server.load.callsInFlight == 2 }
      try await target.release(key)
      try await peer.send(.end(3))
      _ = try await peer.answer(on: 1)
      _ = try await peer.answer(on: 3)
      try await peer.finish()
    },
    dialog(
      "D5: ended streams do not count as calls in flight", needs: [.streams],
      limits: .with { $0.callsPerConnection = 4 }
    ) { peer in
      var streamID: UInt32 = 1
      for method in ["Echo", "Many", "Sum", "Bidi", "First", "Boom", "Fail", "nope"] {
        for _ in 0..<20 {
          // Up to three of the four calls that the limit allows may be ended but still counted.
          try await peer.send(.request(streamID, method, flags: 0x06), .data(streamID, 1))
          try await peer.send(.end(streamID))
          while let frame = try await peer.next(on: streamID) {
            if frame.type == 2 { #expect(try Answer(frame).code != 8) }
            if frame.isTerminal { break }
          }
          streamID += 2
        }
      }
    },
    ServerCase("D6: an answer above the limit fails its own call only") { target in
      let key = newKey()
      let peer = try target.connect()
      try await peer.send(
        .request(1, "Hold", Proto.integer(1, key), metadata: ["k": "\(key)"]),
        .request(3, "Large", Proto.integer(1, 5_000_000)), .request(5, "Echo"))
      try await peer.expect(code: 8, on: 3)
      #expect(try await peer.next(on: 5) == .response(5, 1))
      try await target.release(key)
      try await peer.expect(.response(1, key))
      try await peer.finish()
    },
    ServerCase("D7: a reset connection is closed, and its calls end") { target in
      let key = newKey()
      var peer: Conversation? = try target.connect()
      try await peer?.send(.request(1, "Hold", Proto.integer(1, key), metadata: ["k": "\(key)"]))
      try await peer?.send(.request(3, "Large", Proto.integer(1, 100_000)))
      try await target.waitUntil(1, run: key)
      // Closing with unread bytes resets the connection, so that the server's read fails.
      peer = nil
      try await target.waitUntil(0, run: key)
      try await eventually("the connection is closed") {
        target.server?.load.openConnections ?? 0 == 0
      }
    },
    dialog("D9: no stream ends twice when several causes race", needs: .cancel) { peer in
      var streamID: UInt32 = 1
      for round in 0..<400 {
        // Short deadlines and the answer race with the client's end of the stream and its Cancel.
        try await peer.send(
          .request(streamID, "Echo"), .cancel(streamID),
          .request(streamID + 2, "Bidi", flags: 0x06, timeout: Int64(round * 1000)),
          .data(streamID + 2, 1), .end(streamID + 2), .cancel(streamID + 2),
          .request(streamID + 4, "Many", flags: 0x01, timeout: 1), .end(streamID + 4),
          .request(streamID + 6, "Echo", timeout: Int64(round * 100 + 1)),
          .data(streamID + 6, 1), .request(streamID + 6, "Echo"),
          .request(streamID + 8, "First", flags: 0x06), .data(streamID + 8, 1),
          .cancel(streamID + 8))
        streamID += 10
      }
      try await peer.proveAlive(as: streamID)
    },
    ServerCase(
      "D10: a cancelled call frees its slot at once", needs: [.streams, .cancel],
      limits: .with { $0.callsPerConnection = 1 }
    ) { target in
      let peer = try target.connect()
      var streamID: UInt32 = 1
      for call in waiting {
        let key = newKey()
        var opening = call.opening(key)
        opening.streamID = streamID
        try await peer.send(opening)
        try await target.waitUntil(1, run: key)
        try await peer.send(.cancel(streamID))
        try await target.waitUntil(0, run: key)
        // The limit is one call, so this one shows that the slot is free.
        try await peer.proveAlive(as: streamID + 2)
        streamID += 4
      }
      try await peer.finish()
    },
  ]

  /// Returns an almost valid frame with random changes.
  private static func hostileFrame(
    _ streamID: UInt32, _ random: inout SeededGenerator
  ) -> Frame {
    let extremes: [Int64] = [.min, -1, 0, 1, .max, Int64.max / 1_000_000_000]
    let methods = ["Echo", "Sum", "Bidi", "Many", "Large", "First", "Fail", "\0", "Echo\u{301}"]
    var frame = Frame.request(
      streamID, methods.randomElement(using: &random) ?? "Echo",
      Proto.integer(1, extremes.randomElement(using: &random) ?? 0),
      flags: .random(in: .min ... .max, using: &random),
      timeout: extremes.randomElement(using: &random) ?? 0, metadata: ["": "", "é": "\0"])
    // `Many` with a huge number would not end, and the peer reads to the end.
    if frame.payload.contains(0x79) { frame = .request(streamID, "Many", flags: 0x01) }
    for _ in 0..<Int.random(in: 0...3, using: &random) where !frame.payload.isEmpty {
      let index = Int.random(in: 0..<frame.payload.count, using: &random)
      frame.payload[index] = .random(in: .min ... .max, using: &random)
    }
    frame.type = [1, 1, 1, 3, 4, 2].randomElement(using: &random) ?? 1
    return frame
  }
}

import Testing

extension ServerCase {
  /// Frames that are split, and many frames in one write.
  static let framing: [ServerCase] =
    Recorded.all.map { exchange in
      ServerCase(
        "framing: \(exchange.name), split at every byte", needs: exchange.isStream ? .streams : []
      ) { target in
        for cut in 1..<exchange.sent.count {
          let peer = try target.connect()
          try await peer.sendSeparately(Array(exchange.sent[..<cut]))
          try await peer.send(bytes: Array(exchange.sent[cut...]))
          try await peer.expect(exchange.received, "cut at \(cut)")
          try await peer.finish()
        }
      }
    } + [
      ServerCase("framing: mistakes, split at every byte of their first frames") { target in
        for mistake in Mistake.all where Profile.current.capabilities.isSuperset(of: mistake.needs)
        {
          for cut in 1..<min(mistake.bytes.count, 24) {
            try await mistake.make(on: target, cutAt: cut)
          }
        }
      },
      dialog("framing: a call is sent byte by byte") { peer in
        for byte in Recorded.echo.sent { try await peer.sendSeparately([byte]) }
        try await peer.expect(Recorded.echo.received)
      },
      dialog("framing: many calls in one write") { peer in
        let streamIDs = stride(from: UInt32(1), to: 1000, by: 2)
        let requests = streamIDs.map {
          Frame.request($0, "Echo", Proto.integer(1, Int64($0)))
        }
        try await peer.send(bytes: requests.bytes)
        for streamID in streamIDs {
          let frame = try await peer.next(on: streamID)
          #expect(frame == .response(streamID, Int64(streamID) + 1))
        }
      },
      dialog("framing: a long frame in pieces, the last one with the next header") { peer in
        let known = Frame.request(1, "Echo", Proto.integer(1, 41)).payload
        let long = Frame(1, 1, known + Proto.bytes(15, [UInt8](repeating: 0, count: 1_000_000)))
        let bytes = long.bytes + Frame.request(3, "Echo").bytes
        try await peer.sendSeparately(Array(bytes[..<500_000]))
        try await peer.sendSeparately(Array(bytes[500_000..<(long.bytes.count + 6)]))
        try await peer.send(bytes: Array(bytes[(long.bytes.count + 6)...]))
        try await peer.expect(.response(1, 42), .response(3, 1))
      },
      dialog("framing: an oversize frame is discarded however it is split") { peer in
        let long = Frame.header(1, 1, length: 4_194_305) + [UInt8](repeating: 0, count: 4_194_305)
        let bytes = long + Frame.request(3, "Echo").bytes
        try await peer.sendSeparately(Array(bytes[..<10]))
        try await peer.expect(code: 8, on: 1)
        try await peer.sendSeparately(Array(bytes[10..<70_000]))
        try await peer.sendSeparately(Array(bytes[70_000..<(long.count - 1)]))
        try await peer.sendSeparately(Array(bytes[(long.count - 1)..<(long.count + 9)]))
        try await peer.send(bytes: Array(bytes[(long.count + 9)...]))
        try await peer.expect(.response(3, 1))
      },
      ServerCase("framing: an incomplete frame is not a call") { target in
        let key = newKey()
        let bytes = Frame.request(1, "Hold", metadata: ["k": "\(key)"]).bytes
        for cut in [1, 9, 10, bytes.count - 1] {
          let peer = try target.connect()
          try await peer.sendSeparately(Array(bytes[..<cut]))
          await peer.finishSending()
          try await peer.expectClosed()
        }
        #expect(try await target.running(key) == 0)
      },
      dialog("framing: frames of unknown types are ignored with their payload") { peer in
        for type: UInt8 in [0, 2, 5, 9, 0x7f, 0xff] {
          try await peer.send(
            Frame(type, 1, flags: 0xff, [0xff, 0xff]), Frame(type, 0), Frame(type, 2))
        }
        try await peer.proveAlive(as: 1)
        try await peer.send(bytes: Frame.header(9, 3, length: 4_194_305))
        try await peer.send(bytes: [UInt8](repeating: 0, count: 4_194_305))
        try await peer.proveAlive(as: 3)
      },
    ]
}

import Testing

extension ServerCase {
  /// The shapes of calls, in every way that clients encode them.
  static let shapes: [ServerCase] =
    [
      dialog("shape: a unary method accepts any flags") { peer in
        for (streamID, flags) in zip(stride(from: UInt32(1), to: 99, by: 2), unaryFlags) {
          try await peer.send(.request(streamID, "Echo", Proto.integer(1, 41), flags: flags))
          try await peer.expect(.response(streamID, 42))
        }
      },
      dialog("shape: a server-streaming method accepts any flags", needs: .streams) { peer in
        for (streamID, flags) in zip(stride(from: UInt32(1), to: 99, by: 2), unaryFlags) {
          try await peer.send(.request(streamID, "Many", Proto.integer(1, 2), flags: flags))
          try await peer.expect(.data(streamID, 1), .data(streamID, 2), .end(streamID))
        }
      },
      dialog(
        "shape: an end frame after the request of a server stream is ignored", needs: .streams
      ) { peer in
        try await peer.send(
          .request(1, "Many", Proto.integer(1, 3000), flags: 0x02), .end(1), .request(3, "Echo"))
        for number in 1...Int64(3000) {
          let frame = try await peer.next(on: 1)
          try #require(frame == .data(1, number))
        }
        #expect(try await peer.next(on: 1) == .end(1))
        #expect(try await peer.next(on: 3) == .response(3, 1))
      },
      dialog("shape: an answer with default values is empty") { peer in
        try await peer.send(.request(1, "Echo", Proto.integer(1, -1)))
        // containerd's server writes an empty status, which means the same.
        let answer = try await peer.answer(on: 1)
        #expect(answer.code == 0 && answer.message.isEmpty && answer.details.isEmpty)
        #expect(try answer.number == 0)
      },
      dialog("shape: a status carries its details") { peer in
        try await peer.send(.request(1, "Refuse"))
        let answer = try await peer.answer(on: 1)
        #expect(answer.code == 9 && answer.message == "no" && answer.payload.isEmpty)
        #expect(answer.details == [Answer.Detail(typeURL: "type.example/p.Why", value: [1])])
      },
      dialog("shape: a client stream may be answered before its end", needs: .streams) { peer in
        try await peer.send(.request(1, "First", flags: 0x06), .data(1, 9))
        try await peer.expect(.response(1, 9))
        try await peer.send(.data(1, 10), .end(1))
        try await peer.proveAlive(as: 3)
      },
      dialog("shape: both directions of a stream are independent", needs: .streams) { peer in
        try await peer.send(.request(1, "Bidi", flags: 0x06))
        for number in 0..<Int64(100) {
          try await peer.send(.data(1, number * 2))
          try await peer.expect(.data(1, number * 2 + 1))
        }
        try await peer.send(.end(1))
        try await peer.expect(.end(1))
      },
    ]
    + openings.map { opening in
      dialog("shape: a client stream, \(opening.name)", needs: .streams) { peer in
        try await peer.send(bytes: opening.frames.bytes)
        // A count of zero is the default value, which is not encoded.
        try await peer.expect(.response(1, opening.count))
        try await peer.proveAlive(as: 3)
      }
    }
    + openings.map { opening in
      dialog("shape: a bidirectional stream, \(opening.name)", needs: .streams) { peer in
        let frames = opening.frames.map { frame in
          guard frame.type == 1 else { return frame }
          let number = frame.flags & 0x04 == 0 && frame.payload.last == 41 ? Int64(41) : 0
          return .request(1, "Bidi", Proto.integer(1, number), flags: frame.flags)
        }
        try await peer.send(bytes: frames.bytes)
        for _ in 0..<opening.count {
          let frame = try await peer.next()
          #expect(frame?.type == 3 && frame?.flags == 0)
        }
        try await peer.expect(.end(1))
      }
    }

  private static let unaryFlags: [UInt8] = [0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x08, 0xf8]

  /// Encodings of a client stream, each with the number of its messages.
  private static let openings: [(name: String, frames: [Frame], count: Int64)] = [
    ("as this library opens it", [sum(0x06), .data(1, 41), .end(1)], 1),
    ("as containerd opens it", [sum(0x02), .data(1, 41), .end(1)], 1),
    ("with no flags", [sum(0x00), .data(1, 41), .end(1)], 1),
    ("without a message", [sum(0x06), .end(1)], 0),
    ("that ends with its request", [sum(0x05)], 0),
    ("with a message in the request", [sum(0x02, 41), .data(1, 1), .end(1)], 2),
    ("with a message and the end in the request", [sum(0x01, 41)], 1),
    ("with empty messages", [sum(0x06), Frame(3, 1), Frame(3, 1), .end(1)], 2),
    ("with a message in the end frame", [sum(0x06), .data(1, 1), .data(1, 41, flags: 0x01)], 2),
    ("with an empty message in the end frame", [sum(0x06), Frame(3, 1, flags: 0x01)], 1),
    (
      "with frames that have neither data nor an end",
      [sum(0x06), Frame(3, 1, flags: 0x04), .data(1, 41), Frame(3, 1, flags: 0x06), .end(1)], 1
    ),
    ("that ends twice", [sum(0x06), .data(1, 41), .end(1), .end(1)], 1),
    (
      "with unknown flags",
      [sum(0xf6), .data(1, 41, flags: 0xf8), Frame(3, 1, flags: 0xfd)], 1
    ),
  ]

  private static func sum(_ flags: UInt8, _ number: Int64 = 0) -> Frame {
    .request(1, "Sum", Proto.integer(1, number), flags: flags)
  }
}

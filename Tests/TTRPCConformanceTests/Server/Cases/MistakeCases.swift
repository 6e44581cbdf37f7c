import Testing

/// A mistake of a peer after a successful call on stream 3, and the status that it gets.
struct Mistake: Sendable {
  var name: String
  var needs: Capabilities = []
  var bytes: [UInt8]
  var streamID: UInt32 = 5
  var code: Int64

  static let longest = 4_194_304

  static let all: [Mistake] = [
    Mistake(
      name: "an unknown service", bytes: Frame.request(5, "Echo", service: "q").bytes, code: 12),
    Mistake(
      name: "an unknown service for a stream",
      bytes: Frame.request(5, "Sum", flags: 0x06, service: "").bytes, code: 12),
    Mistake(name: "an unknown method", bytes: Frame.request(5, "echo").bytes, code: 12),
    Mistake(name: "an empty method name", bytes: Frame.request(5, "").bytes, code: 12),
    Mistake(name: "an empty envelope", bytes: Frame(1, 5).bytes, code: 12),
    Mistake(name: "an even id", bytes: Frame.request(6, "Echo").bytes, streamID: 6, code: 3),
    Mistake(name: "id zero", bytes: Frame.request(0, "Echo").bytes, streamID: 0, code: 3),
    Mistake(
      name: "the highest even id", bytes: Frame.request(.max - 1, "Echo").bytes,
      streamID: .max - 1, code: 3),
    Mistake(name: "a repeated id", bytes: Frame.request(3, "Echo").bytes, streamID: 3, code: 3),
    Mistake(
      name: "a truncated envelope", bytes: Frame(1, 5, [0x0a, 0x05, 0x70]).bytes, code: 3),
    Mistake(
      name: "a service name that is not UTF-8", bytes: Frame(1, 5, [0x0a, 1, 0xff]).bytes, code: 3),
    Mistake(
      name: "an envelope with a length beyond its end",
      bytes: Frame(1, 5, [0x0a] + Proto.varint(.max)).bytes, code: 3),
    Mistake(
      name: "an envelope with field number 0", bytes: Frame(1, 5, [0x02, 1, 0x70]).bytes,
      code: 3),
    Mistake(name: "a malformed payload", bytes: Frame.request(5, "Echo", [0xff]).bytes, code: 13),
    Mistake(
      name: "a malformed payload for a stream", needs: .streams,
      bytes: Frame.request(5, "Many", [0x08], flags: 0x01).bytes, code: 13),
    Mistake(
      name: "a malformed message", needs: .streams,
      bytes: [Frame.request(5, "Sum", flags: 0x06), Frame(3, 5, [0xff])].bytes, code: 13),
    Mistake(
      name: "a malformed message on a bidirectional stream", needs: .streams,
      bytes: [Frame.request(5, "Bidi", flags: 0x06), Frame(3, 5, [0xff])].bytes, code: 13),
    Mistake(
      name: "a request one byte above the limit", bytes: oversize(1, 5, length: longest + 1),
      code: 8),
    Mistake(
      name: "a request of 16 777 215 bytes", bytes: oversize(1, 5, length: 0xff_ffff),
      code: 8),
    Mistake(
      name: "an oversize request with an even id", bytes: oversize(1, 6, length: longest + 1),
      streamID: 6, code: 3),
    Mistake(
      name: "a message one byte above the limit", needs: .streams,
      bytes: Frame.request(5, "Sum", flags: 0x06).bytes + oversize(3, 5, length: longest + 1),
      code: 8),
    Mistake(
      name: "an oversize message for an unopened stream", needs: .streams,
      bytes: oversize(3, 5, length: longest + 1), code: 3),
    Mistake(
      name: "a message for an unopened stream", needs: .streams, bytes: Frame.data(5, 1).bytes,
      code: 3),
    Mistake(
      name: "the end of an unopened stream", needs: .streams, bytes: Frame.end(5).bytes,
      code: 3),
    Mistake(
      name: "a message for an even id", needs: .streams, bytes: Frame.data(2, 1).bytes,
      streamID: 2, code: 3),
    Mistake(
      name: "a message after the end", needs: .streams,
      bytes: [
        Frame.request(5, "Stall", flags: 0x06, metadata: ["k": "-1"]), .end(5), .data(5, 1),
      ].bytes, code: 3),
    Mistake(
      name: "a timeout that has passed", bytes: Frame.request(5, "Echo", timeout: -1).bytes,
      code: 4),
    Mistake(
      name: "a timeout that has passed long ago", needs: .streams,
      bytes: Frame.request(5, "Bidi", flags: 0x06, timeout: .min).bytes, code: 4),
    Mistake(
      name: "an answer above the limit",
      bytes: Frame.request(5, "Large", Proto.integer(1, 4_194_295)).bytes,
      code: 8),
    Mistake(
      name: "a call that its handler refuses", bytes: Frame.request(5, "Refuse").bytes, code: 9),
    Mistake(name: "an error without a status", bytes: Frame.request(5, "Fail").bytes, code: 2),
  ]

  private static func oversize(_ type: UInt8, _ streamID: UInt32, length: Int) -> [UInt8] {
    Frame.header(type, streamID, length: UInt32(length)) + [UInt8](repeating: 0, count: length)
  }

  /// Makes the mistake on a new connection, in two writes if `cut` is given.
  func make(on target: Target, cutAt cut: Int? = nil) async throws {
    let peer = try target.connect()
    try await peer.proveAlive(as: 3)
    if let cut {
      try await peer.sendSeparately(Array(bytes[..<cut]))
      try await peer.send(bytes: Array(bytes[cut...]))
    } else {
      try await peer.send(bytes: bytes)
    }
    try await peer.expect(code: code, on: streamID, "\(name)\(cut.map { ", cut at \($0)" } ?? "")")
    try await peer.proveAlive(as: 101)
    try await peer.finish()
  }
}

extension ServerCase {
  static let mistakes: [ServerCase] =
    Mistake.all.map { mistake in
      ServerCase("mistake: \(mistake.name)", needs: mistake.needs) {
        try await mistake.make(on: $0)
      }
    } + [
      dialog("mistake: a request with the id of a running call ends that call once") { peer in
        try await peer.send(.request(3, "Hold", Proto.integer(1, -1)), .request(3, "Echo"))
        try await peer.expect(code: 3, on: 3)
        try await peer.proveAlive(as: 5)
      },
      dialog("mistake: a skipped id can be used once", needs: .idsOutOfOrder) { peer in
        try await peer.send(.request(9, "Echo", Proto.integer(1, 1)))
        try await peer.expect(.response(9, 2))
        try await peer.send(.request(5, "Echo", Proto.integer(1, 2)))
        try await peer.expect(.response(5, 3))
        for _ in 0..<2 {
          try await peer.send(.request(5, "Echo"))
          try await peer.expect(code: 3, on: 5)
        }
        try await peer.proveAlive(as: 11)
      },
      dialog("mistake: an id below the window is refused") { peer in
        try await peer.send(.request(100_001, "Echo", Proto.integer(1, 1)))
        try await peer.expect(.response(100_001, 2))
        try await peer.send(.request(1, "Echo"))
        try await peer.expect(code: 3, on: 1)
        try await peer.proveAlive(as: 100_003)
      },
      dialog("mistake: a refused id counts as used") { peer in
        try await peer.send(.request(9, "nope"))
        try await peer.expect(code: 12, on: 9)
        try await peer.send(.request(9, "Echo"))
        try await peer.expect(code: 3, on: 9)
        try await peer.send(bytes: Frame.header(1, 11, length: 4_194_305))
        try await peer.send(bytes: [UInt8](repeating: 0, count: 4_194_305))
        try await peer.expect(code: 8, on: 11)
        try await peer.send(.request(11, "Echo"))
        try await peer.expect(code: 3, on: 11)
      },
      dialog("mistake: an even id leaves the ids below it unused") { peer in
        try await peer.send(.request(100, "Echo"))
        try await peer.expect(code: 3, on: 100)
        try await peer.proveAlive(as: 1)
      },
      dialog("mistake: many messages for an unopened stream get one status", needs: .streams) {
        peer in
        for _ in 0..<10 { try await peer.send(.data(99, 1)) }
        try await peer.expect(code: 3, on: 99)
        try await peer.proveAlive(as: 1)
      },
      dialog("mistake: frames for an ended stream are dropped", needs: .streams) {
        peer in
        try await peer.send(.request(1, "First", flags: 0x06), .data(1, 7))
        try await peer.expect(.response(1, 7))
        try await peer.send(.data(1, 8), Frame(3, 1), .end(1), .cancel(1))
        try await peer.send(bytes: Frame.header(3, 1, length: 4_194_305))
        try await peer.send(bytes: [UInt8](repeating: 0, count: 4_194_305))
        try await peer.proveAlive(as: 3)
      },
      ServerCase("mistake: bytes of another protocol end their own connection only") { target in
        let good = try target.connect()
        try await good.proveAlive(as: 1)
        for foreign in ["GET / HTTP/1.1\r\n\r\n", "\u{1}\0\0\0\0\0\0\0\0\0"] {
          let bad = try target.connect()
          try await bad.send(bytes: Array(foreign.utf8))
          try await bad.expectClosed()
        }
        try await good.proveAlive(as: 3)
        try await good.finish()
      },
      dialog("mistake: the text of an error without a status is not sent", needs: .hidesErrorText) {
        peer in
        try await peer.send(.request(1, "Fail"))
        let answer = try await peer.answer(on: 1)
        #expect(answer.code == 2)
        #expect(!answer.message.contains("password") && !answer.message.contains("secret"))
      },
      dialog("mistake: a message of exactly the size limit is accepted") { peer in
        // An unknown field pads the envelope.
        let known = Frame.request(1, "Echo", Proto.integer(1, 41)).payload
        let filler = Mistake.longest - known.count - 5
        try await peer.send(
          Frame(1, 1, known + Proto.bytes(15, [UInt8](repeating: 0, count: filler))))
        try await peer.expect(.response(1, 42))
        try await peer.send(.request(3, "Large", Proto.integer(1, 4_194_294)))
        let answer = try await peer.answer(on: 3)
        #expect(try answer.blob.count == 4_194_294)
      },
    ]
}

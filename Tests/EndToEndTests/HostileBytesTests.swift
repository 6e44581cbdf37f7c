import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// Bytes that no client library would send, to the real server.
@Suite struct HostileBytesTests {
  @Test func numbersAndTextsOutsideTheirTypesAreRefused() async throws {
    try await MigratedDatabase.with { database in
      let user = Array(try await database.makeUser(annualBudget: 10).wireText.utf8)
      func reservation(credits: UInt64) -> [UInt8] {
        RawCall.bytes(1, user) + RawCall.varint(2, credits)
          + RawCall.bytes(3, UUID().wireText.utf8)
      }
      let noText = RawCall.bytes(1, [UInt8](repeating: 0xff, count: 36))
      let cases: [(name: String, payload: [UInt8], code: StatusCode, names: String)] = [
        ("2^31 credits", reservation(credits: 1 << 31), .invalidArgument, "credits"),
        ("2^32 credits", reservation(credits: 1 << 32), .invalidArgument, "credits"),
        ("2^64 - 1 credits", reservation(credits: .max), .invalidArgument, "credits"),
        ("a user of no UTF-8", noText + RawCall.varint(2, 1), .internalError, "request"),
        (
          "a user with a zero byte",
          RawCall.bytes(1, user.dropLast() + [0]) + RawCall.varint(2, 1), .invalidArgument,
          "user_id"
        ),
        ("a text that is a number", RawCall.varint(1, 1), .internalError, "request"),
        ("half a field", [0x0a, 0x24, 0x61], .internalError, "request"),
        (
          "an endless number", [0x10] + Array(repeating: 0xff, count: 11), .internalError, "request"
        ),
        ("nothing", [], .invalidArgument, "user_id"),
      ]
      try await database.withServer { server in
        let peer = try RawPeer(path: server.socket)
        for (index, (name, payload, code, names)) in cases.enumerated() {
          try await peer.send(RawCall.frame(UInt8(2 * index + 1), "ReserveCredits", payload))
          let frame = try #require(try await peer.receiveFrame())
          let error = try #require(try RawCall.error(in: frame), "\(name)")
          #expect(error.code == code, "\(name): \(error)")
          #expect(error.message.contains(names), "\(name): \(error)")
        }
        #expect(try await database.books().isEmpty)
        try await peer.send(RawCall.frame(99, "ReserveCredits", reservation(credits: 1)))
        let frame = try #require(try await peer.receiveFrame())
        #expect(try RawCall.error(in: frame) == nil)
      }
    }
  }

  @Test func aFrameAboveTheLimitIsRefusedAndItsConnectionLives() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10)
      try await database.withServer { server in
        let peer = try RawPeer(path: server.socket)
        let header: [UInt8] = [0x00, 0x40, 0x00, 0x01, 0, 0, 0, 1, 1, 0]
        try await peer.send(header + [UInt8](repeating: 0x0a, count: 4_194_305))
        let refused = try #require(try await peer.receiveFrame())
        let error = try #require(try RawCall.error(in: refused))
        #expect(error.code == .resourceExhausted)
        #expect(error.message.contains("4194304"), "\(error)")

        try await peer.send(
          RawCall.frame(3, "GetCreditUsage", RawCall.bytes(1, user.wireText.utf8)))
        let answered = try #require(try await peer.receiveFrame())
        #expect(try RawCall.error(in: answered) == nil)
      }
    }
  }

  @Test func garbageClosesItsConnectionAndASilentPeerIsClosedInTime() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10)
      var random = SeededGenerator(printingSeedOf: "MOCKUPD_TEST_SEED")
      let settings = ["MOCKUPD_LIMITS_IDLE_TIMEOUT_SECONDS": "1"]
      try await database.withServer(settings: settings) { server in
        let silent = try RawPeer(path: server.socket)
        for _ in 0..<50 {
          let noise = (0..<200).map { _ in UInt8.random(in: 1...255, using: &random) }
          let peer = try RawPeer(path: server.socket)
          try await peer.send(noise)
          // What begins like HTTP is told so.
          let answer = String(decoding: try await peer.receive(10_000), as: UTF8.self)
          #expect(answer == "" || answer.hasPrefix("HTTP/1.1 400 "))
        }
        #expect(try await silent.isClosed())
        // The client finds out that its connection was closed, and makes another.
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          for _ in 1...2 {
            let reserved = try await client.credits.reserve(for: user, credits: 1)
            #expect(reserved.success)
            // Silent for less time than the client's connection.
            let silent = try RawPeer(path: server.socket)
            let isClosed = try await silent.isClosed()
            #expect(isClosed)
          }
        }
      }
    }
  }
}

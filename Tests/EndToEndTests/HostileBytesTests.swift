import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// Bytes that no client library would send, sent to a real server.
@Suite struct HostileBytesTests {
  @Test func `values outside the range of their type are refused`() async throws {
    try await MigratedDatabase.with { database in
      let user = Array(try await database.makeUser(annualBudget: 10).wireText.utf8)
      func reservation(credits: UInt64) -> [UInt8] {
        RawCall.bytes(1, user) + RawCall.varint(2, credits)
          + RawCall.bytes(3, UUID().wireText.utf8)
      }
      let invalidText = RawCall.bytes(1, [UInt8](repeating: 0xff, count: 36))
      let cases: [(name: String, payload: [UInt8], code: StatusCode, mentions: String)] = [
        ("2^31 credits", reservation(credits: 1 << 31), .invalidArgument, "credits"),
        ("2^32 credits", reservation(credits: 1 << 32), .invalidArgument, "credits"),
        ("2^64 - 1 credits", reservation(credits: .max), .invalidArgument, "credits"),
        (
          "a user id that is not UTF-8", invalidText + RawCall.varint(2, 1), .internalError,
          "request"
        ),
        (
          "a user id with a zero byte",
          RawCall.bytes(1, user.dropLast() + [0]) + RawCall.varint(2, 1), .invalidArgument,
          "user_id"
        ),
        ("a varint for a string", RawCall.varint(1, 1), .internalError, "request"),
        ("a truncated field", [0x0a, 0x24, 0x61], .internalError, "request"),
        (
          "a varint of more than 10 bytes", [0x10] + Array(repeating: 0xff, count: 11),
          .internalError, "request"
        ),
        ("an empty request", [], .invalidArgument, "user_id"),
      ]
      try await database.withServer { server in
        let peer = try RawPeer(path: server.socket)
        for (index, (name, payload, code, mentions)) in cases.enumerated() {
          try await peer.send(RawCall.frame(UInt8(2 * index + 1), "ReserveCredits", payload))
          let frame = try #require(try await peer.receiveFrame())
          let error = try #require(try RawCall.error(in: frame), "\(name)")
          #expect(error.code == code, "\(name): \(error)")
          #expect(error.message.contains(mentions), "\(name): \(error)")
        }
        #expect(try await database.ledgerRows().isEmpty)
        try await peer.send(RawCall.frame(99, "ReserveCredits", reservation(credits: 1)))
        let frame = try #require(try await peer.receiveFrame())
        #expect(try RawCall.error(in: frame) == nil)
      }
    }
  }

  @Test func `a frame above the size limit is refused and the connection stays open`() async throws
  {
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

  @Test func `invalid bytes close the connection, and so does the idle timeout`() async throws {
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
          // Noise that starts like HTTP gets an HTTP error.
          let answer = String(decoding: try await peer.receive(10_000), as: UTF8.self)
          #expect(answer == "" || answer.hasPrefix("HTTP/1.1 400 "))
        }
        #expect(try await silent.isClosed())
        // The client detects that its connection was closed, and connects again.
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          for _ in 1...2 {
            let reserved = try await client.credits.reserve(for: user, credits: 1)
            #expect(reserved.success)
            // When this later connection is closed as idle, so is the client's.
            let silent = try RawPeer(path: server.socket)
            let isClosed = try await silent.isClosed()
            #expect(isClosed)
          }
        }
      }
    }
  }
}

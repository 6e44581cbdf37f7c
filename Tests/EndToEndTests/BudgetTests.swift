import Foundation
import TestSupport
import Testing

/// Limits on the server resources that one user takes, above all a peer without a role.
@Suite(.enabled(if: getuid() == 0, "only root can call as another user")) struct BudgetTests {
  private static let nobody = Program.Identity(userID: 65_534, groupID: 65_534)

  /// Encodes requests for health's `Watch`, one on each of `count` streams.
  private static func watches(_ count: Int) -> [UInt8] {
    var frames: [UInt8] = []
    let envelope = RawCall.bytes(1, "grpc.health.v1.Health".utf8) + RawCall.bytes(2, "Watch".utf8)
    for number in 0..<count {
      let streamID = UInt32(2 * number + 1)
      frames += [0, 0, 0, UInt8(envelope.count)]
      frames += [24, 16, 8, 0].map { (shift: UInt32) in UInt8(truncatingIfNeeded: streamID >> shift)
      }
      frames += [1, 1]
      frames += envelope
    }
    return frames
  }

  private static let health = RawCall.frame(1, "Check", of: "grpc.health.v1.Health")

  private static func get(_ path: String) -> [UInt8] {
    Array("GET /\(path) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
  }

  /// Connects, sends a request and returns the first frame of the response.
  private static func firstAnswer(at socket: String, to request: [UInt8]) async throws -> [UInt8] {
    let peer = try RawPeer(path: socket)
    try await peer.send(request)
    return try #require(try await peer.receiveFrame())
  }

  @Test func `watches of a user without a role leave capacity for other users`() async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 1000).uuidString.lowercased()
      try await database.withServer(
        arguments: ["--socket-mode", "0666"],
        settings: [
          "MOCKUPD_LIMITS_MAX_CONNECTIONS": "100", "MOCKUPD_LIMITS_RESERVED_CONNECTIONS": "0",
        ]
      ) { server in
        try await withTemporaryFolder { folder in
          // More watches than the server's limit of calls, on more connections than its limit.
          let crowd = try await ForeignCrowd.gather(
            110, as: Self.nobody, at: server.socket, Self.watches(1024), streams: 1024,
            folder: folder)
          // Peers without a role get at most half of all connections.
          #expect(crowd.connections == 50)

          let reserved = try await Program.mockupctl.run(
            ["reserve", user, "1"], environment: ["MOCKUPD_SOCKET_PATH": server.socket])
          #expect(reserved.exitCode == 0, "\(reserved)")
          let check = try await Self.firstAnswer(at: server.socket, to: Self.health)
          #expect(try RawCall.error(in: check) == nil)
          for path in ["healthz", "readyz", "metrics"] {
            let peer = try RawPeer(path: server.socket)
            try await peer.send(Self.get(path))
            let answer = try await peer.receive(1_000_000)
            #expect(answer.starts(with: "HTTP/1.1 200".utf8), "\(path)")
          }
          await crowd.leave()
        }
      }
    }
  }

  @Test func `settings limit a user without a role`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer(
        arguments: ["--socket-mode", "0666"],
        settings: [
          "MOCKUPD_LIMITS_MAX_CONNECTIONS_PER_GUEST": "3",
          "MOCKUPD_LIMITS_MAX_ENDLESS_CALLS_PER_GUEST": "5",
          "MOCKUPD_LIMITS_RESERVED_CONNECTIONS": "0",
        ]
      ) { server in
        try await withTemporaryFolder { folder in
          let crowd = try await ForeignCrowd.gather(
            8, as: Self.nobody, at: server.socket, Self.watches(4), streams: 4, folder: folder)
          #expect(crowd.connections == 3)
          // Five of the twelve watches remain.
          try await eventually("at most 6 calls run") {
            try await Self.metric("ttrpc_server_calls_in_flight", at: server.socket) <= 6
          }
          #expect(
            try await Self.metric("ttrpc_server_refused_connections_total", at: server.socket) == 5)
          await crowd.leave()
        }
      }
    }
  }

  @Test func `a setting limits the rate of connections of a user`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer(
        settings: ["MOCKUPD_LIMITS_MAX_CONNECTIONS_PER_SECOND_PER_USER": "1"]
      ) { server in
        // Those of some minutes, of which the first few do not wait.
        let peers = try (0..<200).map { _ in try RawPeer(path: server.socket) }
        try await eventually("some are delayed") {
          try await Self.metric("ttrpc_server_delayed_connections_total", at: server.socket) > 0
        }
        try await eventually("it is logged") {
          server.process.errors.contains("delayed a connection")
        }
        for peer in peers { peer.disconnect() }
        let answer = try await Self.firstAnswer(at: server.socket, to: Self.health)
        #expect(try RawCall.error(in: answer) == nil)
      }
    }
  }

  @Test func `health probes are answered when all connections are taken`() async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer(
        arguments: ["--socket-mode", "0666"], settings: ["MOCKUPD_LIMITS_MAX_CONNECTIONS": "4"]
      ) { server in
        try await withTemporaryFolder { folder in
          let root = Program.Identity(userID: 0, groupID: 0)
          let crowd = try await ForeignCrowd.gather(
            4, as: root, at: server.socket, Self.health, streams: 1, folder: folder)
          #expect(crowd.connections == 4)
          // The probes come from the same user and from another.
          let own = try await Self.firstAnswer(at: server.socket, to: Self.health)
          #expect(try RawCall.error(in: own) == nil)
          let other = try await ForeignPeer.exchange(
            as: Self.nobody, at: server.socket, Self.get("readyz"))
          #expect(other.starts(with: "HTTP/1.1 200".utf8))
          await crowd.leave()
        }
      }
    }
  }

  /// Returns the sum of a metric's values in the server's `/metrics`.
  private static func metric(_ name: String, at socket: String) async throws -> Double {
    let peer = try RawPeer(path: socket)
    try await peer.send(get("metrics"))
    let text = String(decoding: try await peer.receive(1_000_000), as: UTF8.self)
    let values = text.split(separator: "\n").filter { $0.hasPrefix(name) }
      .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
    return values.reduce(0, +)
  }
}

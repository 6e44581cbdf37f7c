import Foundation
import MockupClient
import TestSupport
import Testing

/// Claims over the socket: with and without a wait, cancelled, and while the server shuts down.
@Suite struct ClaimCallTests {
  private static func withServer(
    _ body: (MockupClient, UUID, UUID, RunningServer) async throws -> Void
  ) async throws {
    try await MigratedDatabase.with { database in
      let user = try await database.makeUser(annualBudget: 10)
      let asset = UUID()
      try await database.owner.run(
        "INSERT INTO assets (id, user_id) VALUES ('\(asset)', '\(user)')")
      try await database.withServer { server in
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          try await body(client, user, asset, server)
        }
      }
    }
  }

  /// Waits until a claim is in flight, beside the call that reads the metrics.
  private static func waitForClaim(_ server: RunningServer) async throws {
    try await server.metrics(having: ["ttrpc_server_calls_in_flight 2"])
  }

  @Test(.timeLimit(.minutes(15)))
  func `a waiting claim gets mockups that are requested while it waits`() async throws {
    try await Self.withServer { client, user, asset, server in
      async let claimed = client.mockups.claim(worker: "w", count: 5, wait: .seconds(60))
      try await Self.waitForClaim(server)
      let made = try await client.mockups.generate(
        for: user, assets: [asset], scenes: ["bedroom"])
      let ids = try await claimed.map { $0.mockup?.mockupID }
      #expect(ids == made.results.map(\.mockupID))
    }
  }

  @Test func `a claim without a wait returns an empty list`() async throws {
    try await Self.withServer { client, _, _, _ in
      let first = try await client.mockups.claim(worker: "w")
      #expect(first.isEmpty)
    }
  }

  @Test(.timeLimit(.minutes(15))) func `a cancelled claim takes no mockups`() async throws {
    try await Self.withServer { client, user, asset, server in
      let waiting = Task {
        try await client.mockups.claim(worker: "cancelled", wait: .seconds(60))
      }
      try await Self.waitForClaim(server)
      waiting.cancel()
      await #expect {
        try await waiting.value
      } throws: { error in
        (error as? RPCError)?.code == .cancelled
      }
      // The server reads this call after the cancellation, on the same connection.
      let second = try await client.mockups.claim(worker: "w")
      #expect(second.isEmpty)
      _ = try await client.mockups.generate(for: user, assets: [asset], scenes: ["bedroom"])
      let claimed = try await client.mockups.claim(worker: "w", wait: .seconds(60))
      #expect(claimed.count == 1)
    }
  }

  @Test(.timeLimit(.minutes(15))) func `a stopping server ends a waiting claim at once`()
    async throws
  {
    try await Self.withServer { _, _, _, server in
      let client = MockupServiceClient(Client(path: server.socket))
      let waiting = Task {
        try await client.claimMockups(
          ClaimMockupsRequest(worker: "w", waitSeconds: 60), options: CallOptions())
      }
      try await Self.waitForClaim(server)
      server.process.signal(SIGTERM)
      await #expect {
        try await waiting.value
      } throws: { error in
        (error as? RPCError)?.code == .unavailable
      }
    }
  }
}

import Foundation
import MockupClient
import TestSupport
import Testing

/// Claims over the wire, which wait for work until the caller cancels or the server stops.
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

  @Test func `a waiting claim gets mockups that are requested while it waits`() async throws {
    try await Self.withServer { client, user, asset, _ in
      async let claimed = client.mockups.claim(worker: "w", count: 5, wait: .seconds(60))
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
    try await Self.withServer { client, user, asset, _ in
      let waiting = Task { try await client.mockups.claim(worker: "cancelled", wait: .seconds(60)) }
      // The calls share a connection, so the first claim has started.
      let second = try await client.mockups.claim(worker: "w")
      #expect(second.isEmpty)
      waiting.cancel()
      await #expect(throws: RPCError.self) { try await waiting.value }
      let third = try await client.mockups.claim(worker: "w")
      #expect(third.isEmpty)
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
      _ = try await client.claimMockups(ClaimMockupsRequest(worker: "w"), options: CallOptions())
      server.process.signal(SIGTERM)
      await #expect {
        try await waiting.value
      } throws: { error in
        (error as? RPCError)?.code == .unavailable
      }
    }
  }
}

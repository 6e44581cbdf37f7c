import Foundation
import MockupClient
import Postgres
import TestSupport
import Testing

/// A database that is away: credits are refused, never granted from memory, and work again when it is
/// back.
@Suite struct DatabaseAwayTests {
  /// What the server says of a call that is sent once.
  private static func refusal(of user: UUID, at socket: String) async throws -> RPCError? {
    do {
      _ = try await CreditServiceClient(Client(path: socket)).getCreditUsage(
        GetCreditUsageRequest(userID: user.wireText), options: CallOptions(timeout: testTimeout))
      return nil
    } catch {
      return error
    }
  }

  @Test func aServerWithoutItSaysSoAndWhenToComeBack() async throws {
    try await withTemporaryFolder { folder in
      let nowhere = PostgresConfiguration(
        url: "postgresql:///mockups?host=\(folder)&password=hunter2", applicationName: "test")
      let server = try await RunningServer.start(
        on: nowhere,
        settings: ["MOCKUPD_LOG_LEVEL": "trace", "MOCKUPD_DATABASE_CONNECT_TIMEOUT_SECONDS": "1"],
        folder: folder)
      let error = try #require(try await Self.refusal(of: UUID(), at: server.socket))
      #expect(error.code == .unavailable)
      let delay = try #require(error.retryDelay)
      #expect(delay > .zero && delay <= .seconds(10))

      let ending = await server.stop()
      #expect(ending.exitCode == 0)
      #expect(ending.errors.contains("serving without the database"))
      #expect(!ending.description.contains("hunter2"), "\(ending)")
    }
  }

  @Test func aServerThatWaitsForItStopsAtOnce() async throws {
    try await withTemporaryFolder { folder in
      let process = try Program.mockupd.start(
        ["serve", "--socket", "\(folder)/socket", "--database-url", "host=\(folder)"],
        environment: ["MOCKUPD_DATABASE_CONNECT_TIMEOUT_SECONDS": "600"], folder: folder)
      try await eventually("an attempt to connect") {
        process.errors.contains("cannot connect") || process.knownEnding != nil
      }
      process.signal(SIGTERM)
      let ending = await process.ending()
      #expect(ending.exitCode == 0)
      #expect(ending.output.isEmpty, "it was never ready")
      #expect(!ending.errors.contains("serving without"), "\(ending)")
    }
  }

  @Test func aServerOutlivesItsDatabaseAndFindsItAgain() async throws {
    try await PrivatePostgres.with { postgres in
      let user = UUID()
      try await postgres.database.run("INSERT INTO auth.users (id) VALUES ('\(user)')")
      try await withTemporaryFolder { folder in
        let server = try await RunningServer.start(on: postgres.database, folder: folder)
        let id = UUID()
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          var first = try await client.credits.reserve(for: user, credits: 3, id: id)

          try await postgres.stop()
          let error = try #require(try await Self.refusal(of: user, at: server.socket))
          #expect(error.code == .unavailable, "\(error)")
          #expect(error.retryDelay != nil)

          // A client that waits gets its answer when the database is back.
          let patient = MockupClient.Configuration(
            timeout: testTimeout, retry: RetryPolicy(attempts: .max))
          let waiting = Task {
            try await MockupClient.withConnection(
              to: .unixSocket(path: server.socket), configuration: patient
            ) { try await $0.credits.reserve(for: user, credits: 3, id: id) }
          }
          try await postgres.start()
          first.replayed = true
          #expect(try await waiting.value == first)
          #expect(try await client.credits.commit(id, of: user).committed == 3)
        }
        let ending = await server.stop()
        #expect(ending.exitCode == 0, "\(ending)")
      }
    }
  }
}

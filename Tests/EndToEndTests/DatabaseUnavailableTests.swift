import Foundation
import MockupClient
import Postgres
import TestSupport
import Testing

/// An unavailable database: credit calls fail until it is available again.
@Suite struct DatabaseUnavailableTests {
  /// Makes a call once, without retries, and returns its error.
  private static func callError(of user: UUID, at socket: String) async throws -> RPCError? {
    do {
      _ = try await CreditServiceClient(Client(path: socket)).getCreditUsage(
        GetCreditUsageRequest(userID: user.wireText), options: CallOptions(timeout: testTimeout))
      return nil
    } catch {
      return error
    }
  }

  @Test func `a server without a database answers UNAVAILABLE with a retry delay`() async throws {
    try await withTemporaryFolder { folder in
      let nowhere = PostgresConfiguration(
        url: "postgresql:///mockups?host=\(folder)&password=hunter2", applicationName: "test")
      let server = try await RunningServer.start(
        on: nowhere,
        settings: ["MOCKUPD_LOG_LEVEL": "trace", "MOCKUPD_DATABASE_CONNECT_TIMEOUT_SECONDS": "1"],
        folder: folder)
      let error = try #require(try await Self.callError(of: UUID(), at: server.socket))
      #expect(error.code == .unavailable)
      let delay = try #require(error.retryDelay)
      #expect(delay > .zero && delay <= .seconds(10))

      let ending = await server.stop()
      #expect(ending.exitCode == 0)
      #expect(ending.errors.contains("serving without the database"))
      #expect(!ending.description.contains("hunter2"), "\(ending)")
    }
  }

  @Test func `a server that waits for its database stops at once`() async throws {
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
      #expect(ending.output.isEmpty, "the server reported that it was ready")
      #expect(!ending.errors.contains("serving without"), "\(ending)")
    }
  }

  @Test func `a server reconnects to its database after a restart`() async throws {
    try await PrivatePostgres.with { postgres in
      let user = UUID()
      try await postgres.database.run("INSERT INTO auth.users (id) VALUES ('\(user)')")
      try await withTemporaryFolder { folder in
        let server = try await RunningServer.start(on: postgres.database, folder: folder)
        let id = UUID()
        try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
          var first = try await client.credits.reserve(for: user, credits: 3, id: id)

          try await postgres.stop()
          let error = try #require(try await Self.callError(of: user, at: server.socket))
          #expect(error.code == .unavailable, "\(error)")
          #expect(error.retryDelay != nil)

          // A client that retries gets its response when the database is available again.
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

import Foundation
import MockupClient
import Postgres
import TTRPCServices
import TestSupport
import Testing

/// A server whose database URL names several hosts, of which one can write.
@Suite struct SeveralHostsTests {
  /// Runs a closure with two databases that have the same user, and the URL of both.
  private static func withHosts(
    _ body: (PrivatePostgres, PrivatePostgres, PostgresConfiguration, UUID) async throws -> Void
  ) async throws {
    try await PrivatePostgres.with { first in
      try await PrivatePostgres.with { second in
        let user = UUID()
        for postgres in [first, second] { try await postgres.makeUser(user, annualBudget: 100) }
        let both = PostgresConfiguration(
          url: "postgresql:///postgres?host=\(first.host),\(second.host)&user=postgres",
          applicationName: "test")
        try await body(first, second, both, user)
      }
    }
  }

  private static func setReadOnly(_ postgres: PrivatePostgres, _ isReadOnly: Bool) async throws {
    try await postgres.database.run(
      "ALTER SYSTEM SET default_transaction_read_only = \(isReadOnly ? "on" : "off")")
    try await postgres.database.run("SELECT pg_reload_conf()")
  }

  private static func withServer(
    _ database: PostgresConfiguration, _ body: (MockupClient, RunningServer) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      let server = try await RunningServer.start(
        on: database, settings: ["MOCKUPD_DATABASE_CONNECT_TIMEOUT_SECONDS": "2"], folder: folder)
      try await MockupClient.withConnection(to: .unixSocket(path: server.socket)) { client in
        try await body(client, server)
      }
      let ending = await server.stop()
      #expect(ending.exitCode == 0, "\(ending)")
      #expect(!ending.errors.contains("incident"), "\(ending)")
    }
  }

  private static func reservations(_ postgres: PrivatePostgres) async throws -> Int64? {
    try await postgres.database.withPool { pool in
      try await pool.query("SELECT count(*) FROM mockupd.reservations") {
        row throws(PostgresError) in
        try row.decode(Int64.self, at: 0)
      }
    }.first
  }

  /// Retries a new reservation until it is made.
  private static func reserve(_ client: MockupClient, _ user: UUID) async throws {
    let id = UUID()
    try await eventually("a reservation is made") {
      (try? await client.credits.reserve(for: user, credits: 1, id: id))?.success == true
    }
  }

  @Test func `the server follows the host that can write`() async throws {
    try await Self.withHosts { first, second, both, user in
      try await Self.setReadOnly(first, true)
      try await Self.withServer(both) { client, _ in
        try await Self.reserve(client, user)
        #expect(try await Self.reservations(first) == 0)
        #expect(try await Self.reservations(second) == 1)

        // The roles change, and the sessions stay open.
        try await Self.setReadOnly(second, true)
        try await Self.setReadOnly(first, false)
        try await Self.reserve(client, user)
        #expect(try await Self.reservations(first) == 1)
        #expect(try await Self.reservations(second) == 1)
      }
    }
  }

  @Test func `a host that hangs is given up for another one`() async throws {
    try await Self.withHosts { first, second, both, user in
      try await Self.withServer(both) { client, server in
        try await Self.reserve(client, user)
        #expect(try await Self.reservations(first) == 1)
        try first.pause()
        try await Self.reserve(client, user)
        #expect(try await Self.reservations(second) == 1)
        try first.resume()
      }
    }
  }

  @Test func `a database that completes no writes is reported, and so is its recovery`()
    async throws
  {
    try await PrivatePostgres.with { postgres in
      let user = UUID()
      try await postgres.makeUser(user, annualBudget: 100)
      try await Self.withServer(postgres.database) { client, server in
        try await Self.reserve(client, user)
        try await postgres.loseStandby()
        let id = UUID()
        let lost = Task {
          try await CreditServiceClient(Client(path: server.socket)).reserveCredits(
            ReserveCreditsRequest(
              userID: user.wireText, credits: 1, reservationID: id.wireText),
            options: CallOptions(timeout: testTimeout))
        }
        let error = await #expect(throws: RPCError.self) { try await lost.value }
        #expect(error?.code == .unavailable, "\(String(describing: error))")
        try await eventually("/readyz reports the reason") {
          let answer = try await HTTP.get("/readyz", at: server.socket)
          return answer.hasPrefix("HTTP/1.1 503 ")
            && answer.contains("the database does not complete writes")
        }
        try await postgres.restoreStandby()
        try await eventually("the reservation is made, or was made") {
          (try? await client.credits.reserve(for: user, credits: 1, id: id))?.success == true
        }
        #expect(try await Self.reservations(postgres) == 2)
      }
    }
  }
}

import Foundation
import Glibc
import MockupClient
import MockupDatabase
import Postgres
import TTRPCServices
import TestSupport
import Testing

@testable import mockupd

/// A reachable database that is unusable: it hangs, is read-only, or has another schema.
@Suite struct DatabaseHealthTests {
  /// A server with a database of its own, and checks of the health that the server reports.
  private struct Fixture {
    let postgres: PrivatePostgres
    let server: RunningServer
    let user: UUID
    var client: Client { Client(path: server.socket) }

    /// Starts a database and a server, and runs a closure when the server reports SERVING.
    static func with(_ body: (Fixture) async throws -> Void) async throws {
      try await PrivatePostgres.with { postgres in
        let user = UUID()
        try await postgres.database.run("INSERT INTO auth.users (id) VALUES ('\(user)')")
        try await withTemporaryFolder { folder in
          let server = try await RunningServer.start(on: postgres.database, folder: folder)
          let fixture = Fixture(postgres: postgres, server: server, user: user)
          try await fixture.waitUntil(.serving)
          try await body(fixture)
          let ending = await server.stop()
          #expect(ending.exitCode == 0, "\(ending)")
          #expect(!ending.errors.contains("incident"), "\(ending)")
        }
      }
    }

    func waitUntil(_ status: HealthCheckResponse.ServingStatus) async throws {
      try await HealthClient(client).watch(
        HealthCheckRequest(service: "mockups.v1.CreditService"),
        options: CallOptions(timeout: .seconds(180))
      ) { answers in
        while let answer = try await answers.next(), answer.status != status {}
      }
    }

    /// Makes a call once, without retries and with a long deadline, and returns its error.
    func callError() async throws -> RPCError? {
      do {
        _ = try await CreditServiceClient(client).reserveCredits(
          ReserveCreditsRequest(
            userID: user.wireText, credits: 1, reservationID: UUID().wireText),
          options: CallOptions(timeout: .seconds(180)))
        return nil
      } catch {
        return error
      }
    }

    /// Expects the server to refuse calls and to report the reason everywhere.
    func expectRefusals(_ reason: String) async throws {
      // The server may first have reported a lost connection.
      try await eventually("/readyz reports the reason") {
        let answer = try await HTTP.get("/readyz", at: server.socket)
        return answer.hasPrefix("HTTP/1.1 503 ") && answer.contains(reason)
      }
      let error = try #require(try await callError())
      #expect(error.code == .unavailable, "\(error)")
      #expect(error.message.contains(reason), "\(error)")
      #expect(error.retryDelay != nil)
      try await server.process.waitForErrors(reason)
    }

    func expectServing() async throws {
      try await waitUntil(.serving)
      #expect(try await HTTP.get("/readyz", at: server.socket).hasPrefix("HTTP/1.1 200 "))
      // Sessions apply a changed setting one after the other.
      try await eventually("calls succeed") { try await callError() == nil }
    }
  }

  @Test func `a hanging database is detected and calls fail without waiting for it`() async throws {
    try await Fixture.with { fixture in
      try fixture.postgres.pause()
      // The server sends the statement to the database, which no longer answers.
      async let inFlight = fixture.callError()
      try await fixture.waitUntil(.notServing)
      let error = try #require(try await inFlight)
      #expect(error.code == .unavailable, "\(error)")
      #expect(error.retryDelay != nil)
      try await fixture.expectRefusals("the database does not answer")

      try fixture.postgres.resume()
      try await fixture.expectServing()
    }
  }

  @Test func `a hanging database is detected although a call was cancelled`()
    async throws
  {
    try await Fixture.with { fixture in
      try fixture.postgres.pause()
      // The database does not answer the cancel request either.
      let error = await #expect(throws: RPCError.self) {
        try await CreditServiceClient(fixture.client).getCreditUsage(
          GetCreditUsageRequest(userID: fixture.user.wireText),
          options: CallOptions(timeout: .milliseconds(50)))
      }
      #expect(error?.code == .deadlineExceeded)
      try await fixture.waitUntil(.notServing)
      try await fixture.expectRefusals("the database does not answer")
      try fixture.postgres.resume()
      try await fixture.expectServing()
    }
  }

  @Test func `a server stops while its database hangs`() async throws {
    try await PrivatePostgres.with { postgres in
      try await withTemporaryFolder { folder in
        let server = try await RunningServer.start(on: postgres.database, folder: folder)
        try postgres.pause()
        let lost = Task {
          try await CreditServiceClient(Client(path: server.socket)).getCreditUsage(
            GetCreditUsageRequest(userID: UUID().wireText),
            options: CallOptions(timeout: .seconds(600)))
        }
        try await server.process.waitForErrors("the database does not answer")
        server.process.signal(SIGTERM)
        let ending = await server.process.ending()
        #expect(ending.exitCode == 0, "\(ending)")
        let error = await #expect(throws: RPCError.self) { try await lost.value }
        #expect(error?.code == .unavailable)
      }
    }
  }

  @Test func `a read-only database is detected, and so is its return to read-write`() async throws {
    try await Fixture.with { fixture in
      let database = fixture.postgres.database
      try await database.run("ALTER SYSTEM SET default_transaction_read_only = on")
      try await database.run("SELECT pg_reload_conf()")
      try await fixture.waitUntil(.notServing)
      try await fixture.expectRefusals("the database is read-only")
      try await database.run("ALTER SYSTEM RESET default_transaction_read_only")
      try await database.run("SELECT pg_reload_conf()")
      try await fixture.expectServing()

      // A session reads this setting once, when it starts.
      try await database.run("ALTER DATABASE postgres SET default_transaction_read_only = on")
      try await database.run(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name LIKE 'mockupd%' AND pid <> pg_backend_pid()
        """)
      try await fixture.waitUntil(.notServing)
      try await fixture.expectRefusals("the database is read-only")
      try await fixture.postgres.maintenance.run(
        "ALTER DATABASE postgres RESET default_transaction_read_only")
      try await fixture.expectServing()
    }
  }

  @Test(arguments: [
    (
      "DELETE FROM mockupd.schema_migrations WHERE version = 17",
      "INSERT INTO mockupd.schema_migrations SELECT * FROM public.kept WHERE version = 17"
    ),
    (
      "INSERT INTO mockupd.schema_migrations (version, name, checksum) VALUES (999, 'x', 'x')",
      "DELETE FROM mockupd.schema_migrations WHERE version = 999"
    ),
    (
      "UPDATE mockupd.schema_migrations SET checksum = 'other' WHERE version = 9",
      "UPDATE mockupd.schema_migrations AS m SET checksum = k.checksum FROM public.kept AS k "
        + "WHERE k.version = m.version"
    ),
    (
      "UPDATE mockupd.repeatable_migrations SET checksum = 'other' WHERE name = 'credits/reserve'",
      "UPDATE mockupd.repeatable_migrations AS m SET checksum = k.checksum "
        + "FROM public.kept_functions AS k WHERE k.name = m.name"
    ),
    (
      "UPDATE mockupd.repeatable_migrations SET revision = 999 WHERE name = 'credits/reserve'",
      "UPDATE mockupd.repeatable_migrations SET revision = 1 WHERE name = 'credits/reserve'"
    ),
    (
      "ALTER SCHEMA mockupd RENAME TO elsewhere",
      "ALTER SCHEMA elsewhere RENAME TO mockupd"
    ),
  ])
  func `a schema of another version is detected at any time, and so is its repair`(
    change: String, repair: String
  ) async throws {
    try await Fixture.with { fixture in
      let database = fixture.postgres.database
      try await database.run("CREATE TABLE public.kept AS TABLE mockupd.schema_migrations")
      try await database.run(
        "CREATE TABLE public.kept_functions AS TABLE mockupd.repeatable_migrations")
      try await database.run(change)
      try await fixture.waitUntil(.notServing)
      try await fixture.expectRefusals("the database schema does not match this server")
      try await database.run(repair)
      try await fixture.expectServing()
    }
  }

  @Test func `a server that starts without a database checks the schema when it connects`()
    async throws
  {
    try await PrivatePostgres.with { postgres in
      try await postgres.database.run(
        "UPDATE mockupd.schema_migrations SET checksum = 'other' || checksum WHERE version = 9")
      try await postgres.stop()
      try await withTemporaryFolder { folder in
        let server = try await RunningServer.start(
          on: postgres.database, settings: ["MOCKUPD_DATABASE_CONNECT_TIMEOUT_SECONDS": "1"],
          folder: folder)
        let fixture = Fixture(postgres: postgres, server: server, user: UUID())
        try await postgres.start()
        try await server.process.waitForErrors("the database schema does not match this server")
        try await fixture.expectRefusals("the database schema does not match this server")
        try await server.process.waitForErrors("migration 9")
        try await postgres.database.run(
          "UPDATE mockupd.schema_migrations SET checksum = substr(checksum, 6) WHERE version = 9")
        try await fixture.waitUntil(.serving)
        let ending = await server.stop()
        #expect(ending.exitCode == 0, "\(ending)")
      }
    }
  }
}

/// The timing of database checks, on a clock that the tests control.
@Suite struct DatabaseMonitorTests {
  private let start = ContinuousClock.now

  @Test func `a database that stops answering is reported as hanging within three seconds`() throws
  {
    var monitor = DatabaseMonitor()
    #expect(monitor.timerFired(now: start) == .check(after: nil))
    #expect(monitor.checked(.ready, now: start) == .report(.ready))
    // The database hangs right after that answer.
    let check = try #require(monitor.timer)
    #expect(monitor.timerFired(now: check) == .check(after: .ready))
    let verdict = try #require(monitor.timer)
    #expect(monitor.timerFired(now: verdict) == .report(.hanging))
    #expect(verdict - start < .seconds(3))
  }

  @Test func `a late check is not sent twice, and its answer counts when it arrives`() {
    var monitor = DatabaseMonitor()
    _ = monitor.timerFired(now: start)
    _ = monitor.timerFired(now: start + DatabaseMonitor.checkTimeout)
    #expect(monitor.timer == nil)
    #expect(monitor.timerFired(now: start + .seconds(60)) == nil)
    #expect(monitor.checked(.ready, now: start + .seconds(61)) == .report(.ready))
    #expect(monitor.timer == start + .seconds(61) + DatabaseMonitor.interval)
  }

  @Test func `a lasting condition is reported once and passed to the next check`() {
    var monitor = DatabaseMonitor()
    let readOnly = DatabaseCondition.readOnly(isStandby: true)
    _ = monitor.timerFired(now: start)
    #expect(monitor.checked(readOnly, now: start) == .report(readOnly))
    let next = start + DatabaseMonitor.interval
    #expect(monitor.timerFired(now: start) == nil)
    #expect(monitor.timerFired(now: next) == .check(after: readOnly))
    #expect(monitor.checked(readOnly, now: next) == nil)
  }
}

import Foundation
import Glibc
import MockupClient
import Postgres
import TTRPCServices
import TestSupport
import Testing

/// Commits that are on the primary and on no synchronous standby.
@Suite struct UncertainCommitTests {
  /// A server with a single connection, and calls without retries.
  private struct Fixture {
    let postgres: PrivatePostgres
    let server: RunningServer
    let user: UUID

    static func with(_ body: (Fixture) async throws -> Void) async throws {
      try await PrivatePostgres.with { postgres in
        let user = UUID()
        try await postgres.makeUser(user, annualBudget: 100)
        // PostgreSQL reports a commit that was not replicated by a warning.
        try await postgres.database.run("ALTER ROLE ALL SET client_min_messages = 'error'")
        try await withTemporaryFolder { folder in
          let server = try await RunningServer.start(
            on: postgres.database, settings: ["MOCKUPD_DATABASE_POOL_SIZE": "1"], folder: folder)
          let fixture = Fixture(postgres: postgres, server: server, user: user)
          // Makes the counters, and connects.
          _ = try await fixture.reserve(UUID())
          try await body(fixture)
          #expect(try await fixture.discrepancies() == 0)
          let ending = await server.stop()
          #expect(ending.exitCode == 0, "\(ending)")
        }
      }
    }

    @discardableResult
    func reserve(_ id: UUID, timeout: Duration = testTimeout) async throws
      -> ReserveCreditsResponse
    {
      try await CreditServiceClient(Client(path: server.socket)).reserveCredits(
        ReserveCreditsRequest(userID: user.wireText, credits: 1, reservationID: id.wireText),
        options: CallOptions(timeout: timeout))
    }

    /// Retries a reservation until it succeeds.
    func reserveAtLast(_ id: UUID) async throws -> ReserveCreditsResponse {
      var answer: ReserveCreditsResponse?
      try await eventually("the reservation succeeds") {
        answer = try? await reserve(id, timeout: .seconds(5))
        return answer != nil
      }
      return try #require(answer)
    }

    func count(_ ids: [UUID]) async throws -> Int64 {
      let list = ids.map { "'\($0)'" }.joined(separator: ", ")
      return try await number(
        "SELECT count(*) FROM mockupd.reservations WHERE id IN (\(list)) AND state = 'held'")
    }

    func discrepancies() async throws -> Int64 {
      try await number("SELECT count(*) FROM mockupd.verify_counters()")
    }

    private func number(_ sql: String) async throws -> Int64 {
      try await postgres.database.withPool { pool in
        try await pool.query(Statement(sql)) { row throws(PostgresError) in
          try row.decode(Int64.self, at: 0)
        }
      }.first ?? -1
    }
  }

  @Test func `a reservation that no standby has is never acknowledged`() async throws {
    try await Fixture.with { fixture in
      let (first, second) = (UUID(), UUID())
      try await fixture.postgres.loseStandby()
      let call = Task { try await fixture.reserve(first) }
      let waiting = try #require(try await fixture.postgres.waitForCommit(waitingAs: "mockupd%"))
      call.cancel()
      await #expect(throws: RPCError.self) { try await call.value }

      let error = await #expect(throws: RPCError.self) {
        try await fixture.reserve(second, timeout: .seconds(2))
      }
      #expect(
        [.deadlineExceeded, .unavailable].contains(error?.code), "\(String(describing: error))")
      // Nobody has cancelled the first commit.
      #expect(try await fixture.postgres.commits(waitingAs: "mockupd%").contains(waiting))

      try await fixture.postgres.restoreStandby()
      #expect(try await fixture.reserveAtLast(first).success)
      #expect(try await fixture.reserveAtLast(second).success)
      #expect(try await fixture.count([first, second]) == 2)
    }
  }

  @Test(arguments: ["pg_cancel_backend", "pg_terminate_backend"])
  func `a commit whose wait an administrator ends has an unknown outcome`(
    function: String
  ) async throws {
    try await Fixture.with { fixture in
      let id = UUID()
      try await fixture.postgres.loseStandby()
      let call = Task { try await fixture.reserve(id) }
      let waiting = try #require(try await fixture.postgres.waitForCommit(waitingAs: "mockupd%"))
      try await fixture.postgres.database.run("SELECT \(function)(\(waiting.process))")
      let error = await #expect(throws: RPCError.self) { try await call.value }
      #expect(error?.code == .unavailable, "\(String(describing: error))")
      #expect(error?.message.contains("outcome is unknown") == true, "\(String(describing: error))")
      #expect(error?.retryDelay != nil)
      // It is committed on the primary, but a retry is not answered before it is on a standby.
      #expect(try await fixture.count([id]) == 1)
      let retry = await #expect(throws: RPCError.self) {
        try await fixture.reserve(id, timeout: .seconds(2))
      }
      #expect(
        [.deadlineExceeded, .unavailable].contains(retry?.code), "\(String(describing: retry))")

      try await fixture.postgres.restoreStandby()
      let answer = try await fixture.reserveAtLast(id)
      #expect(answer.success && answer.replayed)
      #expect(try await fixture.count([id]) == 1)
    }
  }

  @Test(arguments: ["mockup", "scene template"])
  func `a deletion that finds nothing to delete is not acknowledged without a standby`(
    kind: String
  ) async throws {
    try await Fixture.with { fixture in
      try await fixture.postgres.loseStandby()
      let (user, id) = (fixture.user.wireText, UUID().wireText)
      let client = Client(path: fixture.server.socket)
      let call = Task {
        let options = CallOptions(timeout: testTimeout)
        if kind == "mockup" {
          _ = try await MockupServiceClient(client).deleteMockup(
            DeleteMockupRequest(userID: user, mockupID: id), options: options)
        } else {
          _ = try await SceneServiceClient(client).deleteSceneTemplate(
            DeleteSceneTemplateRequest(userID: user, templateID: id), options: options)
        }
      }
      _ = try #require(try await fixture.postgres.waitForCommit(waitingAs: "mockupd%"))
      try await fixture.postgres.restoreStandby()
      try await call.value
    }
  }

  @Test func `the notice concerns only the statement whose commit waited`() async throws {
    try await PrivatePostgres.with { postgres in
      try await postgres.database.run("CREATE TABLE t (n int8)")
      try await postgres.loseStandby()
      var configuration = postgres.database
      configuration.applicationName = "pipeline"
      configuration.connectionCount = 1
      try await configuration.withPool { pool in
        // One session sends all of them before the first has ended.
        let numbers: [Int64] = Array(1...40)
        let tasks = numbers.map { number in
          Task { () async -> PostgresError.Code? in
            let isWrite = number.isMultiple(of: 4)
            do throws(PostgresError) {
              if isWrite {
                try await pool.execute("INSERT INTO t VALUES ($1)", [number])
              } else {
                let read = Statement("SELECT $1::int8", isReadOnly: true)
                let rows = try await pool.query(read, [number]) { row throws(PostgresError) in
                  try row.decode(Int64.self, at: 0)
                }
                #expect(rows == [number])
              }
              return nil
            } catch {
              return error.code
            }
          }
        }
        var last: PrivatePostgres.WaitingCommit?
        for _ in 1...10 {
          try await eventually("the next commit waits") {
            let waiting = try await postgres.commits(waitingAs: "pipeline").first
            guard let waiting, waiting != last else { return false }
            last = waiting
            return true
          }
          let process = try #require(last?.process)
          try await postgres.database.run("SELECT pg_cancel_backend(\(process))")
        }
        for (number, task) in zip(numbers, tasks) {
          let code = await task.value
          #expect(code == (number.isMultiple(of: 4) ? .replicationUncertain : nil), "\(number)")
        }
        let failed = await Task {
          try await pool.withTransaction { transaction throws(PostgresError) in
            try await transaction.execute("INSERT INTO t VALUES (0)")
            postgres.cancelNextCommit(of: "pipeline")
          }
        }.result
        #expect(throws: PostgresError.self) { try failed.get() }
        if case .failure(let error as PostgresError) = failed {
          #expect(error.code == .replicationUncertain)
        }
      }
      try await postgres.restoreStandby()
    }
  }
}

extension PrivatePostgres {
  /// Cancels the next wait for a standby of a session with an application name.
  fileprivate func cancelNextCommit(of application: String) {
    Task {
      let waiting = try await waitForCommit(waitingAs: application)
      try await database.run("SELECT pg_cancel_backend(\(waiting?.process ?? 0))")
    }
  }
}

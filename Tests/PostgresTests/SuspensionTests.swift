import TestSupport
import Testing

@testable import Postgres

@Suite struct SuspensionTests {
  @Test func `a suspended connection fails pending and new statements until it is resumed`()
    async throws
  {
    try await TestDatabase.withConnection({
      $0.maximumInFlight = 1
      $0.minimumBackoff = .seconds(10)
      $0.maximumBackoff = .seconds(10)
    }) { connection in
      try await eventually { connection.isConnected }
      let sent = Task { try await connection.execute(.sleep) }
      try await eventually { connection.pendingCount == 1 }
      let queued = Task { try await connection.execute("SELECT 1") }
      try await eventually { connection.pendingCount == 2 }
      let reason = PostgresError(.connectionUnavailable, "the database is suspended")
      // Waits until the first statement is sent.
      try await eventually { await connection.sentCount == 1 }
      connection.suspend(because: reason)
      let lost = try await postgresError { try await sent.value }
      #expect(lost == PostgresError(.connectionLost, "the database is suspended"))
      #expect(try await postgresError { try await queued.value } == reason)
      #expect(try await postgresError { try await connection.execute("SELECT 1") } == reason)
      let transaction = try await postgresError {
        try await connection.withTransaction { transaction throws(PostgresError) in
          try await transaction.execute("SELECT 1")
        }
      }
      #expect(transaction == reason)
      #expect(connection.pendingCount == 0)
      #expect(!connection.isConnected)

      connection.resume()
      #expect(try await connection.column("SELECT 2") == [2])
    }
  }

  @Test func `a resumed connection connects without waiting for the end of its pause`()
    async throws
  {
    try await TestDatabase.with { database in
      try await database.withConnection { observer in
        try await database.withConnection({
          $0.minimumBackoff = .seconds(3000)
          $0.maximumBackoff = .seconds(3000)
        }) { connection in
          let process = try await connection.column("SELECT pg_backend_pid()", as: Int.self)[0]
          try await observer.execute("SELECT pg_terminate_backend($1::int4)", [process])
          try await eventually { !connection.isConnected }
          connection.resume()
          try await eventually { connection.isConnected }
          #expect(try await connection.column("SELECT 2") == [2])
        }
      }
    }
  }

  @Test func `each new session has the configured settings`() async throws {
    try await TestDatabase.with { database in
      try await database.withConnection { observer in
        try await database.withConnection({
          $0.statementTimeout = .milliseconds(12_345)
          $0.minimumBackoff = .milliseconds(1)
        }) { connection in
          let settings = Statement(
            "SELECT current_setting('TimeZone') || ' ' || current_setting('statement_timeout')")
          var processes: Set<Int> = []
          for _ in 0..<2 {
            #expect(try await connection.column(settings) == ["UTC 12345ms"])
            let process = try await connection.column("SELECT pg_backend_pid()", as: Int.self)[0]
            processes.insert(process)
            try await observer.execute("SELECT pg_terminate_backend($1::int4)", [process])
            // The connection may be restored before its loss is visible.
            try await eventually {
              let next = try? await connection.column("SELECT pg_backend_pid()", as: Int.self)
              return next != nil && next != [process]
            }
          }
          #expect(processes.count == 2)
        }
      }
    }
  }
}

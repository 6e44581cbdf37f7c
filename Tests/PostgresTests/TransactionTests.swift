import TestSupport
import Testing

@testable import Postgres

@Suite struct TransactionTests {

  private func withTable(_ body: (Connection) async throws -> Void) async throws {
    try await TestDatabase.withConnection { connection in
      try await connection.execute("CREATE TABLE t (n int8 PRIMARY KEY)")
      try await body(connection)
    }
  }

  private func count(_ executor: some StatementExecutor) async throws -> Int {
    try await executor.column("SELECT count(*) FROM t", as: Int.self)[0]
  }

  @Test func `a transaction commits when its block returns, and returns its value`() async throws {
    try await withTable { connection in
      try await connection.execute("SET default_transaction_isolation = 'serializable'")
      let value = try await connection.withTransaction { transaction throws(PostgresError) in
        try await transaction.execute("INSERT INTO t VALUES (1)")
        return try await transaction.column("SHOW transaction_isolation", as: String.self)
      }
      #expect(value == ["read committed"])
      #expect(try await count(connection) == 1)
    }
  }

  @Test func `a transaction is rolled back when its block throws`() async throws {
    try await withTable { connection in
      let error = try await postgresError {
        try await connection.withTransaction { transaction throws(PostgresError) in
          try await transaction.execute("INSERT INTO t VALUES (1)")
          try await transaction.execute("INSERT INTO t VALUES (1)")
        }
      }
      #expect(error.code == .server(.uniqueViolation))
      #expect(try await count(connection) == 0)
    }
  }

  @Test
  func `a transaction is rolled back on request, and returns the value of its block`() async throws
  {
    try await withTable { connection in
      let value = try await connection.withTransaction { transaction throws(PostgresError) in
        try await transaction.execute("INSERT INTO t VALUES (1)")
        transaction.rollback()
        return 7
      }
      #expect(value == 7)
      #expect(try await count(connection) == 0)
    }
  }

  @Test func `a transaction that ignores the error of a statement is not committed`() async throws {
    try await withTable { connection in
      let error = try await postgresError {
        try await connection.withTransaction { transaction throws(PostgresError) in
          try await transaction.execute("INSERT INTO t VALUES (1)")
          _ = try? await transaction.execute("SELECT 1 / 0")
        }
      }
      #expect(error.code == .transactionAborted)
      #expect(try await count(connection) == 0)
    }
  }

  @Test
  func `a transaction has the connection alone, and others see all of it or nothing`() async throws
  {
    try await withTable { connection in
      try await withThrowingTaskGroup { group in
        for number in 0..<20 {
          group.addTask {
            try await connection.withTransaction { transaction throws(PostgresError) in
              try await transaction.execute("INSERT INTO t VALUES ($1)", [number * 2])
              try await transaction.execute("INSERT INTO t VALUES ($1)", [number * 2 + 1])
            }
          }
          group.addTask {
            let count = try await count(connection)
            #expect(count.isMultiple(of: 2))
          }
        }
        try await group.waitForAll()
      }
      #expect(try await count(connection) == 40)
      #expect(connection.pendingCount == 0)
    }
  }

  @Test func `a transaction that is cancelled midway is rolled back`() async throws {
    try await withTable { connection in
      let started = Flag()
      let task = Task {
        try await connection.withTransaction { transaction throws(PostgresError) in
          try await transaction.execute("INSERT INTO t VALUES (1)")
          started.set()
          try await transaction.execute(.sleep)
        }
      }
      try await started.wait()
      task.cancel()
      let error = try await postgresError { try await task.value }
      #expect(error.code == .cancelled)
      #expect(try await count(connection) == 0)
    }
  }

  @Test func `a transaction that is cancelled before its COMMIT is rolled back`() async throws {
    try await withTable { connection in
      let task = Task {
        try await connection.withTransaction { transaction throws(PostgresError) in
          try await transaction.execute("INSERT INTO t VALUES (1)")
          unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
        }
      }
      let error = try await postgresError { try await task.value }
      #expect(error.code == .cancelled)
      #expect(try await count(connection) == 0)
    }
  }

  @Test func `a transaction that waits for the connection can be cancelled`() async throws {
    try await withTable { connection in
      let sleep = Task { try await connection.execute(.sleep) }
      try await eventually { connection.pendingCount == 1 }
      let task = Task {
        try await connection.withTransaction { transaction throws(PostgresError) in
          try await transaction.execute("INSERT INTO t VALUES (1)")
        }
      }
      try await eventually { connection.pendingCount == 2 }
      task.cancel()
      let error = try await postgresError { try await task.value }
      #expect(error.code == .cancelled)
      sleep.cancel()
      _ = try? await sleep.value
      #expect(try await count(connection) == 0)
    }
  }

  @Test func `a transaction that has ended accepts no statements`() async throws {
    try await withTable { connection in
      let kept = try await connection.withTransaction { transaction throws(PostgresError) in
        transaction
      }
      let error = try await postgresError { try await kept.execute("INSERT INTO t VALUES (1)") }
      #expect(error.code == .closed)
      #expect(try await count(connection) == 0)
    }
  }

  @Test
  func `a transaction accepts concurrent statements, even if an error aborts them`() async throws {
    try await withTable { connection in
      let error = try await postgresError {
        try await connection.withTransaction { transaction throws(PostgresError) in
          async let first = transaction.execute("INSERT INTO t VALUES (1)")
          async let second = transaction.execute("INSERT INTO t VALUES (1)")
          async let third = transaction.execute("INSERT INTO t VALUES (2)")
          do {
            _ = try await (first, second, third)
          } catch {
            throw error as? PostgresError ?? PostgresError(.protocolViolation, "\(error)")
          }
        }
      }
      #expect([.server(.uniqueViolation), .server(.inFailedTransaction)].contains(error.code))
      #expect(try await count(connection) == 0)
    }
  }

  @Test func `a transaction runs scripts, and statements before and after them`() async throws {
    try await withTable { connection in
      try await connection.withTransaction { transaction throws(PostgresError) in
        try await transaction.execute("INSERT INTO t VALUES (1)")
        try await transaction.runScript(
          "INSERT INTO t VALUES (2); SELECT * FROM t; INSERT INTO t VALUES (3);"
        )
        try await transaction.runScript("-- nothing\n")
        try await transaction.execute("INSERT INTO t VALUES (4)")
      }
      #expect(try await count(connection) == 4)
      let error = try await postgresError {
        try await connection.withTransaction { transaction throws(PostgresError) in
          try await transaction.runScript("INSERT INTO t VALUES (5); INSERT INTO t VALUES (5);")
        }
      }
      #expect(error.code == .server(.uniqueViolation))
      let ended = try await postgresError {
        try await connection.withTransaction { transaction throws(PostgresError) in
          try await transaction.runScript("COMMIT")
        }
      }
      #expect(ended.code == .transactionAborted)
      #expect(try await count(connection) == 4)
    }
  }
}

import TestSupport
import Testing

@testable import Postgres

@Suite struct PoolTests {
  private func withPool(
    _ configure: (inout PostgresConfiguration) -> Void = { _ in },
    _ body: (Pool) async throws -> Void
  ) async throws {
    try await TestDatabase.with { database in
      var configuration = database.configuration
      configure(&configuration)
      let pool = try Pool(configuration: configuration)
      let run = Task { await pool.run() }
      let result: Result<Void, any Error>
      do {
        try await pool.waitUntilConnected(timeout: testTimeout)
        result = .success(try await body(pool))
      } catch {
        result = .failure(error)
      }
      pool.shutdown()
      await run.value
      try result.get()
    }
  }

  /// Returns the sessions on which concurrent statements run.
  private static func sessions(of pool: Pool, isReadOnly: Bool) async throws -> Set<Int> {
    let statement = Statement(
      "SELECT pg_backend_pid() FROM pg_sleep(0.01)", isReadOnly: isReadOnly)
    return try await withThrowingTaskGroup(of: [Int].self) { group in
      for _ in 0..<20 {
        group.addTask { try await pool.column(statement, as: Int.self) }
      }
      return try await group.reduce(into: []) { $0.formUnion($1) }
    }
  }

  @Test func `a pool spreads statements over its connections, reads over half of them`()
    async throws
  {
    try await withPool({ $0.connectionCount = 5 }) { pool in
      // Not all connections are established at the start.
      try await eventually {
        async let reads = Self.sessions(of: pool, isReadOnly: true)
        async let others = Self.sessions(of: pool, isReadOnly: false)
        let (readers, writers) = try await (reads, others)
        return readers.count == 2 && writers.count == 3 && readers.isDisjoint(with: writers)
      }
      #expect(pool.pendingCount == 0)
    }
  }

  @Test func `a lane runs statements that only read on a connection of their own`() async throws {
    try await withPool({ $0.connectionCount = 4 }) { pool in
      try pool.divide(into: 2)
      try await pool.lane(1).waitUntilConnected(timeout: .seconds(60))
      try await eventually {
        async let reads = Self.sessions(of: pool.lane(1), isReadOnly: true)
        async let others = Self.sessions(of: pool.lane(1), isReadOnly: false)
        let (readers, writers) = try await (reads, others)
        return readers.count == 1 && writers.count == 2 && readers.isDisjoint(with: writers)
      }
    }
  }

  @Test func `a pool of one connection runs all statements on it`() async throws {
    try await withPool({ $0.connectionCount = 1 }) { pool in
      let readers = try await Self.sessions(of: pool, isReadOnly: true)
      #expect(readers.count == 1)
      #expect(try await Self.sessions(of: pool, isReadOnly: false) == readers)
    }
  }

  @Test(arguments: [true, false])
  func `a pool whose database admits one connection runs all statements on it`(
    isReaderFirst: Bool
  ) async throws {
    try await TestDatabase.with { database in
      let login = "limited_\(UInt64.random(in: 0 ... .max))"
      _ = try await database.withConnection { connection in
        try await connection.execute(Statement("CREATE ROLE \(login) LOGIN CONNECTION LIMIT 1"))
      }
      var configuration = database.configuration
      configuration.url += " user='\(login)'"
      configuration.connectionCount = 2
      try await configuration.withPool { pool in
        let session = try await Self.sessions(of: pool, isReadOnly: isReaderFirst)
        #expect(session.count == 1)
        #expect(try await Self.sessions(of: pool, isReadOnly: !isReaderFirst) == session)
      }
      _ = try await database.withConnection { connection in
        try await connection.execute(Statement("DROP ROLE \(login)"))
      }
    }
  }

  @Test func `statements run on the connection that a slow statement does not occupy`()
    async throws
  {
    try await TestDatabase.with { database in
      var configuration = database.configuration
      configuration.connectionCount = 3
      try await configuration.withPool { pool in
        try await eventually { try await Self.sessions(of: pool, isReadOnly: false).count == 2 }
        try await database.withConnection { lockHolder in
          try await lockHolder.execute("SELECT pg_advisory_lock(1), pg_advisory_lock(2)")
          let slow = Task { try await pool.execute("SELECT pg_advisory_lock_shared(1)") }
          try await eventually { (pool.oldestWriteAge ?? .zero) > .milliseconds(100) }
          let others = (0..<4).map { _ in
            Task { try await pool.execute("SELECT pg_advisory_lock_shared(2)") }
          }
          try await eventually { pool.pendingCount == 5 }
          try await lockHolder.execute("SELECT pg_advisory_unlock(2)")
          try await eventually("only the slow statement is pending") { pool.pendingCount == 1 }
          try await lockHolder.execute("SELECT pg_advisory_unlock(1)")
          for task in [slow] + others { _ = try await task.value }
        }
      }
    }
  }

  @Test func `a cancelled pool finishes pending statements and accepts no new ones`() async throws {
    try await TestDatabase.with { database in
      var configuration = database.configuration
      configuration.shutdownTimeout = testTimeout
      let pool = try Pool(configuration: configuration)
      let run = Task { await pool.run() }
      try await pool.waitUntilConnected(timeout: testTimeout)
      try await database.withGate { wait, open in
        let pending = Task { try await pool.execute(wait) }
        try await eventually { pool.pendingCount == 1 }
        run.cancel()
        // A statement could not test this, because it would wait behind the first one.
        try await eventually("the pool shuts down") {
          do throws(PostgresError) {
            try await pool.waitUntilConnected(timeout: testTimeout)
            return false
          } catch {
            return error.code == .closed
          }
        }
        try await open()
        await run.value
        #expect(try await pending.value == 1)
      }
      #expect(!pool.isConnected)
      #expect(try await postgresError { try await pool.execute("SELECT 1") }.code == .closed)
      let error = try await postgresError {
        try await pool.waitUntilConnected(timeout: .seconds(5))
      }
      #expect(error.code == .closed)
    }
  }

  @Test func `a pool ends at the shutdown timeout even if a statement is pending`() async throws {
    try await withPool({ $0.shutdownTimeout = .milliseconds(100) }) { pool in
      let pending = Task { try await pool.execute(.sleep) }
      try await eventually { pool.pendingCount == 1 }
      pool.shutdown()
      let error = try await postgresError { try await pending.value }
      #expect(error.code == .connectionLost)
    }
  }

  @Test func `waiting for a connection ends at the timeout and on cancellation`() async throws {
    let configuration = PostgresConfiguration(
      url: "postgresql:///db?host=/nonexistent",
      applicationName: "test"
    )
    let pool = try Pool(configuration: configuration)
    let run = Task { await pool.run() }
    let error = try await postgresError {
      try await pool.waitUntilConnected(timeout: .milliseconds(50))
    }
    #expect(error.code == .timedOut)
    let waiter = Task { try await pool.waitUntilConnected(timeout: .seconds(60)) }
    waiter.cancel()
    #expect(try await postgresError { try await waiter.value }.code == .cancelled)
    run.cancel()
    await run.value
  }
}

import FoundationEssentials
import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Postgres

@Suite struct StatementTests {
  @Test func `a thousand concurrent queries each get their own answer`() async throws {
    try await TestDatabase.withConnection { connection in
      let statement = Statement(name: "double", sql: "SELECT $1::int8 * 2")
      let answers = await withTaskGroup(of: (Int, [Int]?).self) { group in
        for number in 0..<1000 {
          group.addTask {
            (number, try? await connection.column(statement, [number]))
          }
        }
        return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
      }
      #expect(answers.count == 1000)
      #expect(answers.allSatisfy { number, answer in answer == [number * 2] })
      #expect(connection.pendingCount == 0)
    }
  }

  @Test func `a statement is prepared once per connection`() async throws {
    try await TestDatabase.withConnection { connection in
      let statement = Statement(name: "answer", sql: "SELECT 42 + $1::int8")
      try await withThrowingTaskGroup { group in
        for number in 0..<50 {
          group.addTask { _ = try await connection.execute(statement, [number]) }
        }
        try await group.waitForAll()
      }
      let prepared = try await connection.query(
        "SELECT name, generic_plans + custom_plans FROM pg_prepared_statements"
      ) { row throws(PostgresError) in
        (try row.decode(String.self, at: 0), try row.decode(Int.self, at: 1))
      }
      #expect(prepared.map(\.0) == ["answer"])
      #expect(prepared.map(\.1) == [50])
    }
  }

  @Test func `a statement name cannot be reused for other SQL or other types`() async throws {
    try await TestDatabase.withConnection { connection in
      try await connection.execute(Statement(name: "a", sql: "SELECT $1::int8"), [1])
      let sql = try await postgresError {
        try await connection.execute(Statement(name: "a", sql: "SELECT $1::int4"), [1])
      }
      #expect(sql.code == .invalidStatement)
      let types = try await postgresError {
        try await connection.execute(Statement(name: "a", sql: "SELECT $1::int8"), ["1"])
      }
      #expect(types.code == .invalidStatement)
    }
  }

  @Test func `an error affects only its own statement`() async throws {
    try await TestDatabase.withConnection { connection in
      try await connection.execute("CREATE TABLE t (n int8 PRIMARY KEY)")
      let insert = Statement(name: "insert", sql: "INSERT INTO t VALUES ($1)")
      let broken = Statement(name: "broken", sql: "SELECT * FROM missing WHERE n = $1")
      let outcomes = await withTaskGroup(of: (Int, PostgresError.Code?).self) { group in
        for number in 0..<300 {
          group.addTask {
            let statement = number % 3 == 0 ? broken : insert
            do throws(PostgresError) {
              try await connection.execute(statement, [number % 3 == 2 ? number - 1 : number])
              return (number, nil)
            } catch {
              return (number, error.code)
            }
          }
        }
        return await group.reduce(into: [Int: PostgresError.Code?]()) { $0[$1.0] = $1.1 }
      }
      for number in stride(from: 0, to: 300, by: 3) {
        #expect(outcomes[number] == .server(.undefinedTable))
        // Of two statements that insert the same number, one fails.
        let pair = [outcomes[number + 1], outcomes[number + 2]].compactMap { $0 ?? nil }
        #expect(pair == [.server(.uniqueViolation)])
      }
      #expect(try await connection.column("SELECT count(*) FROM t") == [100])
    }
  }

  @Test
  func `a violation reports its constraint, and its description reveals no values`() async throws {
    try await TestDatabase.withConnection { connection in
      try await connection.execute("CREATE TABLE t (s text CONSTRAINT only_once UNIQUE)")
      #expect(try await connection.execute("INSERT INTO t VALUES ($1)", ["secret"]) == 1)
      let error = try await postgresError {
        try await connection.execute("INSERT INTO t VALUES ($1)", ["secret"])
      }
      #expect(error.code == .server(.uniqueViolation))
      #expect(error.sqlState == .uniqueViolation)
      #expect(error.constraint == "only_once")
      #expect(error.table == "t")
      #expect(error.detail?.contains("secret") == true)
      #expect(!error.isRetriable)
      #expect(error.description == "PostgreSQL error 23505 (constraint only_once)")
      #expect(error.debugDescription.contains("secret"))
    }
  }

  @Test func `the violation of a deferred constraint is the error of the statement`() async throws {
    try await TestDatabase.withConnection { connection in
      try await connection.execute(
        "CREATE TABLE t (n int8 UNIQUE DEFERRABLE INITIALLY DEFERRED)"
      )
      try await connection.execute("INSERT INTO t VALUES (1)")
      let error = try await postgresError {
        try await connection.execute("INSERT INTO t VALUES (1)")
      }
      #expect(error.code == .server(.uniqueViolation))
      #expect(try await connection.column("SELECT count(*) FROM t") == [1])
    }
  }

  @Test
  func `a prepared statement survives a table change and its own deallocation`() async throws {
    try await TestDatabase.withConnection { connection in
      try await connection.execute("CREATE TABLE t (a int8)")
      let statement = Statement(name: "all", sql: "SELECT * FROM t")
      #expect(try await connection.query(statement) { $0.columnCount } == [])
      try await connection.execute("ALTER TABLE t ADD b text DEFAULT 'x'")
      try await connection.execute("INSERT INTO t VALUES (1)")
      #expect(try await connection.query(statement) { $0.columnCount } == [2])
      try await connection.execute("DEALLOCATE ALL")
      #expect(try await connection.query(statement) { $0.columnCount } == [2])
    }
  }

  @Test func `a statement beyond the queue limit is refused at once`() async throws {
    try await TestDatabase.withConnection({
      $0.maximumPending = 3
      $0.maximumInFlight = 2
    }) { connection in
      try await connection.execute("SELECT 1")
      try await withThrowingTaskGroup { group in
        for _ in 0..<3 {
          group.addTask { _ = try await connection.execute(.sleep) }
        }
        try await eventually { connection.pendingCount == 3 }
        let error = try await postgresError { try await connection.execute("SELECT 1") }
        #expect(error.code == .queueFull)
        #expect(error.isRetriable)
        group.cancelAll()
        while await group.nextResult() != nil {}
      }
      try await connection.execute("SELECT 1")
    }
  }

  @Test func `the session uses UTF-8, UTC and the application name`() async throws {
    try await TestDatabase.withConnection({ $0.statementTimeout = .milliseconds(1500) }) {
      connection in
      let settings = try await connection.column(
        """
        SELECT current_setting(name) FROM unnest(ARRAY['client_encoding', 'timezone',
          'application_name', 'statement_timeout']) AS t(name)
        """,
        as: String.self
      )
      #expect(settings == ["UTF8", "UTC", "postgres-tests", "1500ms"])
    }
  }

  @Test func `the session uses the configured search path`() async throws {
    try await TestDatabase.withConnection({ $0.searchPath = "pg_catalog, pg_temp" }) { connection in
      let path = try await connection.column("SHOW search_path", as: String.self)
      #expect(path == ["pg_catalog, pg_temp"])
    }
  }

  @Test func `the server ends a statement that exceeds the timeout`() async throws {
    try await TestDatabase.withConnection({ $0.statementTimeout = .milliseconds(50) }) {
      connection in
      let error = try await postgresError { try await connection.execute(.sleep) }
      #expect(error.code == .timedOut)
      #expect(error.sqlState == .queryCanceled)
      // A slow machine may need several attempts.
      try await eventually { (try? await connection.execute("SELECT 1")) != nil }
    }
  }

  @Test func `notices are reported as events`() async throws {
    let notices = NIOLockedValueBox<[String]>([])
    try await TestDatabase.withConnection(onEvent: { event in
      if case .notice(let notice) = event {
        notices.withLockedValue { $0.append("\(notice.severity) \(notice.message)") }
      }
    }) { connection in
      try await connection.execute("DO $$ BEGIN RAISE WARNING 'mind the gap'; END $$")
      #expect(notices.withLockedValue { $0 } == ["WARNING mind the gap"])
    }
  }

  @Test func `large results and large parameters are transferred`() async throws {
    try await TestDatabase.withConnection { connection in
      let bytes = [UInt8](repeating: 7, count: 8 << 20)
      #expect(try await connection.column("SELECT $1::bytea", [bytes]) == [bytes])
      let rows = try await connection.column("SELECT generate_series(1, 100000)", as: Int.self)
      #expect(rows.count == 100_000 && rows.last == 100_000)
    }
  }
}

@Suite struct CancellationTests {
  @Test
  func `the cancellation of the executing statement leaves other statements alone`() async throws {
    try await TestDatabase.with { database in
      try await database.withConnection { observer in
        try await database.withConnection { connection in
          let long = Task { try await connection.execute(.sleep) }
          try await eventually { try await database.running("pg_sleep", on: observer) == 1 }
          let neighbours = (0..<20).map { number in
            Task { try await connection.column(.echo, [number], as: Int.self) }
          }
          try await eventually { connection.pendingCount == 21 }
          long.cancel()
          let error = try await postgresError { try await long.value }
          #expect(error.code == .cancelled)
          for (number, neighbour) in neighbours.enumerated() {
            #expect(try await neighbour.value == [number])
          }
        }
      }
    }
  }

  @Test func `a sent statement is cancelled when the server executes it`() async throws {
    try await TestDatabase.with { database in
      try await database.withConnection { connection in
        try await connection.execute("SELECT 1")
        try await database.withGate { wait, open in
          let first = Task { try await connection.execute(wait) }
          try await eventually { connection.pendingCount == 1 }
          let second = Task { try await connection.execute(.sleep) }
          try await eventually { connection.pendingCount == 2 }
          let third = Task { try await connection.column(.echo, [3], as: Int.self) }
          try await eventually { connection.pendingCount == 3 }
          second.cancel()
          try await open()
          #expect(try await first.value == 1)
          let error = try await postgresError { try await second.value }
          #expect(error.code == .cancelled)
          #expect(try await third.value == [3])
        }
      }
    }
  }

  @Test func `a statement that was sent and may write is never cancelled`() async throws {
    try await TestDatabase.with { database in
      try await database.withConnection({ $0.maximumInFlight = 1 }) { connection in
        try await connection.execute("CREATE TABLE t (n int8)")
        try await database.withGate { _, open in
          let insert = Task {
            try await connection.execute(
              "INSERT INTO t SELECT 1 FROM pg_advisory_lock_shared(1)")
          }
          try await eventually { await connection.sentCount == 1 }
          insert.cancel()
          // The connection has handled the first cancellation when it handles the second.
          let unsent = Task { try await connection.execute("SELECT 1") }
          try await eventually { connection.pendingCount == 2 }
          unsent.cancel()
          #expect(try await postgresError { try await unsent.value }.code == .cancelled)
          #expect(await !connection.hasCancelRequest)
          try await open()
          #expect(try await insert.value == 1)
        }
        #expect(try await connection.column("SELECT count(*) FROM t") == [1])
      }
    }
  }

  @Test
  func `a statement that reads is not cancelled while one that may write is behind it`()
    async throws
  {
    try await TestDatabase.with { database in
      try await database.withConnection { connection in
        try await connection.execute("CREATE TABLE t (n int8)")
        try await database.withGate { wait, open in
          let read = Task { try await connection.execute(wait) }
          try await eventually { await connection.sentCount == 1 }
          let insert = Task { try await connection.execute("INSERT INTO t VALUES (1)") }
          try await eventually { await connection.sentCount == 2 }
          read.cancel()
          // The connection has handled the cancellation when the next statement was sent.
          let next = Task { try await connection.column(.echo, [3], as: Int.self) }
          try await eventually { await connection.sentCount == 3 }
          #expect(await !connection.hasCancelRequest)
          try await open()
          #expect(try await read.value == 1)
          #expect(try await insert.value == 1)
          #expect(try await next.value == [3])
        }
      }
    }
  }

  @Test func `a cancelled statement that was not sent is removed`() async throws {
    try await TestDatabase.with { database in
      try await database.withConnection({ $0.maximumInFlight = 1 }) { connection in
        try await connection.execute("CREATE TABLE t (n int8)")
        try await database.withGate { wait, open in
          let first = Task { try await connection.execute(wait) }
          try await eventually { connection.pendingCount == 1 }
          let second = Task { try await connection.execute("INSERT INTO t VALUES (1)") }
          try await eventually { connection.pendingCount == 2 }
          second.cancel()
          let error = try await postgresError { try await second.value }
          #expect(error.code == .cancelled)
          #expect(connection.pendingCount == 1)
          try await open()
          #expect(try await first.value == 1)
        }
        #expect(try await connection.column("SELECT count(*) FROM t") == [0])
      }
    }
  }

  @Test func `a statement of a cancelled task fails as cancelled`() async throws {
    try await TestDatabase.withConnection { connection in
      let task = Task {
        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
        try await connection.execute(.sleep)
      }
      let error = try await postgresError { try await task.value }
      #expect(error.code == .cancelled)
    }
  }

  @Test func `many random cancellations leave other statements alone`() async throws {
    try await TestDatabase.withConnection { connection in
      try await connection.execute("CREATE TABLE t (n int8)")
      let insert = Statement(
        name: "insert",
        sql: "INSERT INTO t SELECT $1::int8 FROM pg_sleep(0.001)",
        // This is not true; it makes the connection cancel the statements.
        isReadOnly: true
      )
      let tasks = (0..<600).map { number in
        Task { try await connection.execute(insert, [number]) }
      }
      for number in stride(from: 0, to: 600, by: 2) {
        tasks[number].cancel()
        if number % 20 == 0 {
          let before = connection.pendingCount
          try await eventually { connection.pendingCount < max(before, 1) }
        }
      }
      var inserted: Set<Int> = []
      for (number, task) in tasks.enumerated() {
        do {
          #expect(try await task.value == 1)
          inserted.insert(number)
        } catch let error as PostgresError {
          #expect(number % 2 == 0 && error.code == .cancelled, "\(number): \(error)")
        }
      }
      let rows = try await connection.column("SELECT n FROM t", as: Int.self)
      #expect(rows.count == inserted.count)
      #expect(Set(rows) == inserted)
    }
  }
}

extension Statement {
  /// A statement that returns its integer parameter, and only reads.
  fileprivate static let echo = Statement("SELECT $1::int8", isReadOnly: true)
}

extension Connection {
  /// True if a cancel request is being sent.
  fileprivate var hasCancelRequest: Bool { cancelThreads > 0 }
}

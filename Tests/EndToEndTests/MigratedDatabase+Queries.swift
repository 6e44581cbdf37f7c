import Postgres
import TestSupport

extension MigratedDatabase {
  /// Asks SQL for whole numbers: the first column of each row.
  func numbers(_ sql: String) async throws -> [Int64] {
    try await ask(sql) { row throws(PostgresError) in try row.decode(Int64.self, at: 0) }
  }

  /// Asks SQL for texts: the first column of each row.
  func texts(_ sql: String) async throws -> [String] {
    try await ask(sql) { row throws(PostgresError) in try row.decode(String.self, at: 0) }
  }

  /// All that a call could have changed.
  func books() async throws -> [String] {
    try await texts(
      """
      SELECT c::text FROM mockupd.credit_counters AS c
      UNION ALL SELECT r::text FROM mockupd.reservations AS r
      UNION ALL SELECT e::text FROM public.mockup_credit_usage AS e
      ORDER BY 1
      """)
  }

  /// Runs a closure while whoever would change credits has to wait.
  func whileCreditsAreLocked<Value>(_ body: () async throws -> Value) async throws -> Value {
    try await withOwner { pool in
      let lock = Task {
        try await pool.execute(
          """
          SELECT pg_sleep(3600)
          FROM (SELECT FROM mockupd.credit_counters FOR UPDATE) AS locked
          """)
      }
      try await waitForASession(waitingFor: "PgSleep")
      let result: Result<Value, any Error>
      do { result = .success(try await body()) } catch { result = .failure(error) }
      lock.cancel()
      _ = await lock.result
      return try result.get()
    }
  }

  /// Waits until a session on this database waits for such an event, or for an event of such a type.
  func waitForASession(waitingFor event: String) async throws {
    try await eventually("a session waits for \(event)") {
      try await sessions(waitingFor: event) > 0
    }
  }

  /// Waits until no session on this database waits for such an event.
  func waitForNoSession(waitingFor event: String) async throws {
    try await eventually("no session waits for \(event)") {
      try await sessions(waitingFor: event) == 0
    }
  }

  /// How many sessions on this database wait for such an event, or for an event of such a type.
  func sessions(waitingFor event: String) async throws -> Int64 {
    try await numbers(
      """
      SELECT count(*) FROM pg_stat_activity
      WHERE datname = current_database() AND '\(event)' IN (wait_event, wait_event_type)
      """
    ).first ?? 0
  }

  private func ask<Value: Sendable>(
    _ sql: String, _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws -> [Value] {
    var configuration = owner
    configuration.connectionCount = 1
    return try await configuration.withPool { pool in
      try await pool.query(Statement(sql), decode)
    }
  }
}

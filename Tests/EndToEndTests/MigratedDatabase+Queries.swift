import Postgres
import TestSupport

extension MigratedDatabase {
  /// Runs a query and returns the first column of each row as integers.
  func numbers(_ sql: String) async throws -> [Int64] {
    try await query(sql) { row throws(PostgresError) in try row.decode(Int64.self, at: 0) }
  }

  /// Runs a query and returns the first column of each row as strings.
  func texts(_ sql: String) async throws -> [String] {
    try await query(sql) { row throws(PostgresError) in try row.decode(String.self, at: 0) }
  }

  /// Returns every row that a credit call can change: counters, reservations and ledger entries.
  func ledgerRows() async throws -> [String] {
    try await texts(
      """
      SELECT c::text FROM mockupd.credit_counters AS c
      UNION ALL SELECT r::text FROM mockupd.reservations AS r
      UNION ALL SELECT e::text FROM public.mockup_credit_usage AS e
      ORDER BY 1
      """)
  }

  /// Runs a closure while every call that changes credits has to wait for a lock.
  func whileCreditsAreLocked<Value>(_ body: () async throws -> Value) async throws -> Value {
    try await withOwner { pool in
      let lock = Task {
        // Declared as reading, so that it can be cancelled.
        try await pool.execute(
          Statement(
            """
            SELECT pg_sleep(3600)
            FROM (SELECT FROM mockupd.credit_counters FOR UPDATE) AS locked
            """, isReadOnly: true))
      }
      try await waitForASession(waitingFor: "PgSleep")
      let result: Result<Value, any Error>
      do { result = .success(try await body()) } catch { result = .failure(error) }
      lock.cancel()
      _ = await lock.result
      return try result.get()
    }
  }

  /// Waits until a session on this database waits for the given wait event or wait event type.
  func waitForASession(waitingFor event: String) async throws {
    try await eventually("a session waits for \(event)") {
      try await sessions(waitingFor: event) > 0
    }
  }

  /// Waits until no session on this database waits for the given wait event or wait event type.
  func waitForNoSession(waitingFor event: String) async throws {
    try await eventually("no session waits for \(event)") {
      try await sessions(waitingFor: event) == 0
    }
  }

  /// Counts the sessions on this database that wait for the given wait event or wait event type.
  func sessions(waitingFor event: String) async throws -> Int64 {
    try await numbers(
      """
      SELECT count(*) FROM pg_stat_activity
      WHERE datname = current_database() AND '\(event)' IN (wait_event, wait_event_type)
      """
    ).first ?? 0
  }

  private func query<Value: Sendable>(
    _ sql: String, _ decode: @escaping @Sendable (Row) throws(PostgresError) -> Value
  ) async throws -> [Value] {
    try await withOwner { pool in
      try await pool.query(Statement(sql), decode)
    }
  }
}

import Foundation
import Postgres
import TestSupport

extension PrivatePostgres {
  /// Makes every commit wait for a synchronous standby that does not exist.
  ///
  /// Returns when the setting is in effect.
  func loseStandby() async throws {
    try await database.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    try await database.run("SELECT pg_reload_conf()")
    // PostgreSQL does not tell when commits begin to wait, so one is tried after the other. The
    // one that waits ends when the standby is back.
    var configuration = database
    configuration.applicationName = "probe"
    let probe = Task { [configuration] in
      while !Task.isCancelled {
        try await configuration.run("SELECT pg_logical_emit_message(true, 'probe', '')")
      }
    }
    try await eventually("commits wait for a standby") {
      try await commits(waitingAs: "probe").count == 1
    }
    probe.cancel()
  }

  /// Makes commits wait no longer, those included that wait already.
  func restoreStandby() async throws {
    try await database.run("ALTER SYSTEM RESET synchronous_standby_names")
    try await database.run("SELECT pg_reload_conf()")
    try await eventually("no commit waits for a standby") {
      try await commits(waitingAs: "%").isEmpty
    }
  }

  /// A commit that waits for a standby: its session, and the start of its statement.
  struct WaitingCommit: Sendable, Hashable {
    var process: Int32
    var start: Date
  }

  /// Returns the commits of sessions with an application name, a pattern of LIKE, that wait for a
  /// standby.
  func commits(waitingAs application: String) async throws -> [WaitingCommit] {
    var configuration = database
    configuration.connectionCount = 1
    configuration.applicationName = "observer"
    return try await configuration.withPool { pool in
      try await pool.query(
        """
        SELECT pid, query_start FROM pg_stat_activity
        WHERE wait_event = 'SyncRep' AND application_name LIKE $1
        """, [application]
      ) { row throws(PostgresError) in
        WaitingCommit(
          process: try row.decode(Int32.self, at: 0), start: try row.decode(Date.self, at: 1))
      }
    }
  }

  /// Waits until a commit of such a session waits for a standby, and returns it.
  ///
  /// - Parameter hasEnded: Returns true if the call has ended, so that no commit will wait.
  func waitForCommit(
    waitingAs application: String, unless hasEnded: () -> Bool = { false }
  ) async throws -> WaitingCommit? {
    var waiting: WaitingCommit?
    try await eventually("a commit waits for a standby") {
      if hasEnded() { return true }
      waiting = try await commits(waitingAs: application).first
      return waiting != nil
    }
    return waiting
  }
}

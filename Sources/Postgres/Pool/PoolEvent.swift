/// What happened to a connection, for a log.
public enum PoolEvent: Sendable {
  /// A connection is up, perhaps through a connection pooler such as pgbouncer or Supavisor.
  case connected(throughPooler: Bool)
  /// An attempt to connect failed; the next one begins after the pause.
  case connectionFailed(PostgresError, retryIn: Duration)
  /// A connection that was up broke; the next attempt begins after the pause.
  case connectionLost(PostgresError, retryIn: Duration)
  /// The server said something that is no answer.
  case notice(PostgresNotice)
}

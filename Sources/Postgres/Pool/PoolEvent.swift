/// An event of a connection, for a log.
public enum PoolEvent: Sendable {
  /// A connection was established, possibly through a pooler such as pgbouncer or Supavisor.
  case connected(throughPooler: Bool)
  /// An attempt to connect failed; the next one starts after the pause.
  case connectionFailed(PostgresError, retryIn: Duration)
  /// An established connection was lost; the next attempt to connect starts after the pause.
  case connectionLost(PostgresError, retryIn: Duration)
  /// The server sent a notice.
  case notice(PostgresNotice)
}

internal import Postgres

extension PostgresConfiguration {
  /// Reads the settings of sessions and their connections, except `lock_timeout`.
  ///
  /// The sessions of the server have these settings, and so have those of a proxy database in its
  /// partitions (`mockupd partitions`).
  mutating func readSessionSettings(from reader: SettingsReader) async throws {
    targetSession = try await reader.choice(.targetSession)
    connectTimeout = try await reader.seconds(.connectTimeout)
    statementTimeout = try await reader.seconds(.statementTimeout)
    let synchronousCommit: Settings.SynchronousCommit = try await reader.choice(.synchronousCommit)
    if synchronousCommit != .server { self.synchronousCommit = synchronousCommit.rawValue }
    tcpUserTimeout = try await reader.seconds(.tcpUserTimeout)
    keepalives.idle = try await reader.seconds(.keepalivesIdle)
    keepalives.interval = try await reader.seconds(.keepalivesInterval)
    keepalives.count = try await reader.integer(.keepalivesCount)
  }
}

extension SettingsReader {
  /// The time that a statement of a call waits for a lock.
  var lockTimeout: Duration {
    get async throws { .milliseconds(try await integer(.lockTimeout)) }
  }
}

internal import Configuration
internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import MockupServices
internal import MockupDatabase
internal import Postgres
internal import StandardStreams
internal import SystemPackage
internal import Systemd
internal import TTRPC

/// The validated settings of the server.
struct Settings: Sendable {
  var socketPath: String
  var socketMode: UInt32
  var socketGroup: UInt32?
  /// The maximum number of connections that wait to be accepted.
  var socketBacklog: Int32
  var policy: AccessPolicy
  var database: PostgresConfiguration
  /// The time that a statement of a call waits for a lock.
  var lockTimeout: Duration
  /// The same database for calls, whose statements give up locks, unlike those of checks.
  var callDatabase: PostgresConfiguration {
    var configuration = database
    configuration.lockTimeout = lockTimeout
    return configuration
  }
  /// The same database for the LISTEN connection, which needs a session of its own.
  var listenerDatabase: PostgresConfiguration
  /// The time that a write may wait for the database before the health check writes, too.
  var writeWait: Duration
  /// The limits for coalescing credit changes, and pins and impressions, into batches.
  var batches = BatchLimits()
  var eventLoops: Int
  var limits = ServerLimits()
  /// The limits of a user that has a role.
  var userBudget: PeerBudget
  /// The limits of a user that has no role.
  var guestBudget: PeerBudget
  /// The interval of the sweeper; `nil` disables it.
  var sweepInterval: Duration?
  /// The maximum number of records that one transaction of the sweeper examines.
  var sweepBatch: Int32
  /// The interval at which the totals of credits are read; `nil` disables them.
  var metricsInterval: Duration?
  /// The time limit of a call whose caller sets no deadline; `nil` means no limit.
  var defaultCallTimeout: Duration?
  var logLevel: Logger.Level
  var logFormat: LogFormat
  /// The level of the log line for each call.
  var logCallLevel: Logger.Level

  /// Reads the settings from the flags, the environment, the credentials and the settings file.
  ///
  /// They take precedence in this order.
  ///
  /// - Throws: ``SettingError`` with the name of the invalid setting.
  init(_ flags: SettingsFlags, from sources: SettingsReader.Sources = .all) async throws {
    let reader = try await SettingsReader(flags, from: sources)

    socketPath = try await reader.text(.socketPath)
    guard socketPath.utf8.count <= UnixListener.maximumPathLength else {
      throw SettingError(.socketPath, "is longer than \(UnixListener.maximumPathLength) bytes")
    }
    socketMode = try await reader.permissions(.socketMode)
    socketGroup = try await reader.group(.socketGroup)
    socketBacklog = Int32(try await reader.integer(.socketBacklog))

    policy = try await reader.policy(serverUserID: geteuid())

    guard let url = try await reader.database(.databaseURL) else {
      throw SettingError(.databaseURL, "is not set")
    }
    database = PostgresConfiguration(url: url, applicationName: "mockupd@\(HostName.current)")
    database.searchPath = "pg_catalog, pg_temp"
    database.connectionCount = try await reader.integer(.poolSize)
    database.maximumPending = try await reader.integer(.maxPendingPerConnection)
    try await database.readSessionSettings(from: reader)
    lockTimeout = try await reader.lockTimeout
    database.maximumBackoff = .milliseconds(try await reader.integer(.maxReconnectPause))
    writeWait = .milliseconds(try await reader.integer(.writeWait))

    listenerDatabase = database.replacingURL(try await reader.database(.listenerURL) ?? url)

    batches.shards = try await reader.integer(.shards)
    batches.batch = try await reader.integer(.maxBatchSize)
    batches.waiting = try await reader.integer(.maxPendingChanges)
    eventLoops = try await reader.integer(.eventLoops)
    limits.busyPollTime = .microseconds(try await reader.integer(.busyPoll))
    sweepInterval = try await reader.secondsUnlessZero(.sweepInterval)
    sweepBatch = Int32(try await reader.integer(.sweepBatchSize))
    metricsInterval = try await reader.secondsUnlessZero(.metricsInterval)
    limits.connections = try await reader.integer(.maxConnections)
    limits.reservedConnections = try await reader.integer(.reservedConnections)
    limits.connectionsPerSecondPerUser = try await reader.integer(
      .maxConnectionsPerSecondPerUser)
    limits.calls = try await reader.integer(.maxConcurrentCalls)
    limits.callsPerConnection = try await reader.integer(.maxConcurrentCallsPerConnection)
    limits.endlessCalls = try await reader.integer(.maxEndlessCalls)
    limits.endlessCallsPerConnection = try await reader.integer(.maxEndlessCallsPerConnection)
    userBudget = PeerBudget(
      connections: try await reader.derivedInteger(.maxConnectionsPerUser)
        ?? Self.userShare(of: limits.connections),
      calls: try await reader.derivedInteger(.maxConcurrentCallsPerUser)
        ?? Self.userShare(of: limits.calls),
      endlessCalls: try await reader.derivedInteger(.maxEndlessCallsPerUser)
        ?? Self.userShare(of: limits.endlessCalls))
    guestBudget = PeerBudget(
      connections: try await reader.integer(.maxConnectionsPerGuest),
      calls: try await reader.integer(.maxConcurrentCallsPerGuest),
      endlessCalls: try await reader.integer(.maxEndlessCallsPerGuest),
      isGuest: true)
    limits.wire.maximumMessageSize = try await reader.integer(.maxMessageBytes)
    limits.queuedBytes = try await reader.integer(.maxQueuedBytes)
    limits.queuedBytesPerConnection = try await reader.integer(.maxQueuedBytesPerConnection)
    limits.queuedBytesPerStream = try await reader.integer(.maxQueuedBytesPerStream)
    defaultCallTimeout = try await reader.secondsUnlessZero(.defaultCallTimeout)
    limits.idleTimeout = try await reader.secondsUnlessZero(.idleTimeout)
    limits.frameTimeout = try await reader.seconds(.frameTimeout)
    limits.slowReaderTimeout = try await reader.seconds(.slowReaderTimeout)
    limits.writeTimeout = try await reader.seconds(.writeTimeout)
    limits.drainTimeout = try await reader.seconds(.shutdownTimeout)

    logLevel = try await reader.choice(.logLevel)
    logCallLevel = try await reader.choice(.logCallLevel)
    logFormat = try await reader.choice(.logFormat)
  }

  /// A value of `synchronous_commit`.
  enum SynchronousCommit: String, CaseIterable {
    /// The database's own setting.
    case server
    case off
    case local
    case remoteWrite = "remote_write"
    case on
    case remoteApply = "remote_apply"
  }

  /// Returns the default share of a limit for one user that has a role.
  ///
  /// It is three quarters, so that no user can exhaust the limit.
  static func userShare(of limit: Int) -> Int { max(limit - limit / 4, 1) }
}

/// The error of an invalid setting or settings file.
///
/// Its exit code tells the service manager that a restart does not help, except if a lookup failed.
struct SettingError: ErrorWithExitCode, CustomStringConvertible {
  let description: String
  private(set) var exitCode = CommandError.configuration

  init(_ key: SettingKey, _ reason: String) {
    description = "\(key.rawValue) (\(key.environmentName)) \(reason)"
  }

  /// Creates the error of a user or group that cannot be looked up now.
  init(_ key: SettingKey, _ name: String, _ failure: Accounts.Failure) {
    self.init(key, "has \"\(name)\", which cannot be looked up: \(failure)")
    exitCode = CommandError.unavailable
  }

  init(_ error: SystemdError) {
    description = error.description
  }

  init(_ error: InputFile.Failure) {
    description = error.description
  }

  init(file: String, _ reason: String) {
    description = "\(file): \(reason)"
  }
}

internal import Configuration
internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import MockupService
internal import MockupStore
internal import Postgres
internal import SystemPackage
internal import TTRPC

/// What the program was told, checked.
struct Settings: Sendable {
  var socketPath: String
  var socketMode: UInt32
  var socketGroup: UInt32?
  /// The length of the queue of connections that wait to be accepted.
  var socketBacklog: Int32
  var policy: AccessPolicy
  var database: PostgresConfiguration
  /// How to reach the same database with a session of one's own, for LISTEN.
  var listenerDatabase: PostgresConfiguration
  /// How changes of credits, and pins and impressions, gather into batches.
  var batches = BatchLimits()
  var eventLoops: Int
  var limits = ServerLimits()
  /// The limits of a user that has a role, and of one that has none.
  var userBudget: PeerBudget
  var guestBudget: PeerBudget
  /// How often to sweep; `nil`: never.
  var sweepInterval: Duration?
  /// How much in one transaction.
  var sweepBatch: Int32
  /// How long a call may take whose caller sets no deadline; `nil`: without end.
  var callTime: Duration?
  var logLevel: Logger.Level
  var logFormat: LogFormat
  /// Of the line that is written for each call.
  var logCallLevel: Logger.Level

  /// Reads the flags, the environment and the file.
  ///
  /// - Throws: ``SettingError``, which names the setting.
  init(_ flags: SettingsFlags) async throws {
    let reader = try await SettingsReader(flags)

    socketPath = try await reader.text(.socketPath)
    socketMode = try await reader.permissions(.socketMode)
    socketGroup = try await reader.group(.socketGroup)
    socketBacklog = Int32(try await reader.integer(.socketBacklog))

    policy = try await reader.policy(serverUserID: geteuid())

    guard let url = try await reader.database(.databaseURL) else {
      throw SettingError(.databaseURL, "is not set")
    }
    database = PostgresConfiguration(url: url, applicationName: "mockupd")
    database.searchPath = "pg_catalog, pg_temp"
    database.connectionCount = try await reader.integer(.poolSize)
    database.maximumPending = try await reader.integer(.maxPendingPerConnection)
    database.connectTimeout = try await reader.seconds(.connectTimeout)
    database.statementTimeout = try await reader.seconds(.statementTimeout)

    listenerDatabase = database
    listenerDatabase.url = try await reader.database(.listenerURL) ?? url

    batches.shards = try await reader.integer(.shards)
    batches.batch = try await reader.integer(.maxBatchSize)
    batches.waiting = try await reader.integer(.maxPendingChanges)
    eventLoops = try await reader.integer(.eventLoops)
    limits.pollTime = .microseconds(try await reader.integer(.busyPoll))
    sweepInterval = try await reader.secondsUnlessZero(.sweepInterval)
    sweepBatch = Int32(try await reader.integer(.sweepBatchSize))
    limits.connections = try await reader.integer(.maxConnections)
    limits.reservedConnections = try await reader.integer(.reservedConnections)
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
    callTime = try await reader.secondsUnlessZero(.defaultCallTimeout)
    limits.idleTime = try await reader.secondsUnlessZero(.idleTimeout)
    limits.frameTime = try await reader.seconds(.frameTimeout)
    limits.slowReaderTime = try await reader.seconds(.slowReaderTimeout)
    limits.writeTime = try await reader.seconds(.writeTimeout)
    limits.drainTime = try await reader.seconds(.shutdownTimeout)

    logLevel = try await reader.choice(.logLevel)
    logCallLevel = try await reader.choice(.logCallLevel)
    logFormat = try await reader.choice(.logFormat)
  }

  /// The share of one user that has a role, unless a setting says otherwise: three quarters, so that no
  /// user takes all.
  static func userShare(of limit: Int) -> Int { max(limit - limit / 4, 1) }
}

/// A setting that cannot be used.
struct SettingError: Error, CustomStringConvertible {
  let description: String

  init(_ key: SettingKey, _ reason: String) {
    description = "\(key.rawValue) (\(key.environmentName)) \(reason)"
  }

  init(file: String, _ reason: String) {
    description = "\(file): \(reason)"
  }
}

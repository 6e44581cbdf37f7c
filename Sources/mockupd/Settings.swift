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

  /// Reads flags, then the environment, then the file.
  ///
  /// - Throws: ``SettingError``, naming the setting.
  init(_ flags: SettingsFlags) async throws {
    let reader = try await SettingsReader(flags)

    socketPath = try await reader.text(.socketPath) ?? "/run/mockupd/mockupd.sock"
    socketMode = try await reader.mode(.socketMode) ?? 0o660
    socketGroup = try await reader.group(.socketGroup)
    socketBacklog = Int32(
      try await reader.number(.socketBacklog, 1...1_000_000) ?? Int(UnixListener.defaultBacklog))

    policy = try await reader.policy(serverUserID: geteuid())

    guard let url = try await reader.databaseURL(.databaseURL) else {
      throw SettingError(.databaseURL, "is not set")
    }
    database = PostgresConfiguration(url: url, applicationName: "mockupd")
    database.searchPath = "pg_catalog, pg_temp"
    database.connectionCount = try await reader.number(.databaseConnections, 1...256) ?? 4
    database.maximumPending = try await reader.number(.databasePending, 1...1_000_000) ?? 1024
    database.connectTimeout = .seconds(
      try await reader.number(.databaseConnectSeconds, 1...3600) ?? 5)
    database.statementTimeout = .seconds(
      try await reader.number(.databaseStatementSeconds, 1...86_400) ?? 30)

    listenerDatabase = database
    listenerDatabase.url = try await reader.databaseURL(.databaseListenerURL) ?? url

    batches.shards = try await reader.number(.writerShards, 1...64) ?? batches.shards
    batches.batch = try await reader.number(.writerBatch, 1...4096) ?? batches.batch
    batches.waiting = try await reader.number(.writerWaiting, 1...1_000_000) ?? batches.waiting
    eventLoops = try await reader.number(.eventLoops, 1...256) ?? 1
    limits.pollTime = .microseconds(
      try await reader.number(.pollMicroseconds, 0...1000) ?? 50)
    let sweepSeconds = try await reader.number(.sweeperSeconds, 0...86_400) ?? 5
    sweepInterval = sweepSeconds == 0 ? nil : .seconds(sweepSeconds)
    sweepBatch = Int32(try await reader.number(.sweeperBatch, 1...10_000) ?? 100)
    limits.connections = try await reader.number(.limitConnections, 1...1_000_000) ?? 4096
    limits.reservedConnections =
      try await reader.number(.limitReservedConnections, 0...1000) ?? 16
    limits.calls = try await reader.number(.limitCalls, 1...1_000_000) ?? 16_384
    limits.callsPerConnection =
      try await reader.number(.limitCallsPerConnection, 1...1_000_000) ?? 1024
    limits.endlessCalls = try await reader.number(.limitEndlessCalls, 1...1_000_000) ?? 16_384
    limits.endlessCallsPerConnection =
      try await reader.number(.limitEndlessCallsPerConnection, 1...1_000_000) ?? 1024
    userBudget = PeerBudget(
      connections: try await reader.number(.limitConnectionsPerUser, 1...1_000_000)
        ?? Self.userShare(of: limits.connections),
      calls: try await reader.number(.limitCallsPerUser, 1...1_000_000)
        ?? Self.userShare(of: limits.calls),
      endlessCalls: try await reader.number(.limitEndlessCallsPerUser, 1...1_000_000)
        ?? Self.userShare(of: limits.endlessCalls))
    guestBudget = PeerBudget(
      connections: try await reader.number(.limitConnectionsPerGuest, 1...1_000_000) ?? 64,
      calls: try await reader.number(.limitCallsPerGuest, 1...1_000_000) ?? 256,
      endlessCalls: try await reader.number(.limitEndlessCallsPerGuest, 1...1_000_000) ?? 32,
      isGuest: true)
    limits.wire.maximumMessageSize =
      try await reader.number(.limitMessageBytes, 1024...WireLimits.protocolMaximumMessageSize)
      ?? WireLimits.protocolMaximumMessageSize
    limits.queuedBytes =
      try await reader.number(.limitQueuedBytes, 1_048_576...1_099_511_627_776) ?? 536_870_912
    limits.queuedBytesPerConnection =
      try await reader.number(.limitQueuedBytesPerConnection, 65_536...1_073_741_824)
      ?? 16_777_216
    limits.queuedBytesPerStream =
      try await reader.number(.limitQueuedBytesPerStream, 1024...1_073_741_824) ?? 4_194_304
    let callSeconds = try await reader.number(.limitCallSeconds, 0...86_400) ?? 60
    callTime = callSeconds == 0 ? nil : .seconds(callSeconds)
    let idleSeconds = try await reader.number(.limitIdleSeconds, 0...31_536_000) ?? 0
    limits.idleTime = idleSeconds == 0 ? nil : .seconds(idleSeconds)
    limits.frameTime = .seconds(try await reader.number(.limitFrameSeconds, 1...86_400) ?? 30)
    limits.slowReaderTime = .seconds(
      try await reader.number(.limitSlowReaderSeconds, 0...3600) ?? 5)
    limits.writeTime = .seconds(try await reader.number(.limitWriteSeconds, 1...86_400) ?? 30)
    limits.drainTime = .seconds(try await reader.number(.limitDrainSeconds, 0...86_400) ?? 10)

    logLevel = try await reader.choice(.logLevel) ?? .info
    logCallLevel = try await reader.choice(.logCallLevel) ?? .debug
    logFormat = try await reader.choice(.logFormat) ?? .text
  }

  /// The share of one user that has a role, unless a setting says otherwise: three quarters, so that no
  /// user takes all.
  static func userShare(of limit: Int) -> Int { max(limit - limit / 4, 1) }
}

extension SettingsReader {
  /// A setting that says where the database is; nil if it is not set.
  fileprivate func databaseURL(_ key: SettingKey) async throws -> String? {
    guard let url = try await text(key, isSecret: true), !url.isEmpty else { return nil }
    guard PostgresConfiguration.accepts(url: url) else {
      throw SettingError(key, "is neither a URL nor key=value pairs of libpq's")
    }
    return url
  }
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

/// The key of a setting, as in the settings file.
///
/// ``definition`` has the rest of its row in the table. The environment variable is `MOCKUPD_` and
/// the key's words in capitals, with `_` between them.
enum SettingKey: String, CaseIterable {
  case socketPath = "socket.path"
  case socketMode = "socket.mode"
  case socketGroup = "socket.group"
  case socketBacklog = "socket.backlog"
  case policyAdmin = "policy.admin"
  case policyService = "policy.service"
  case policyWorker = "policy.worker"
  case policyScheduler = "policy.scheduler"
  case policyReader = "policy.reader"
  case policyMonitor = "policy.monitor"
  case databaseURL = "database.url"
  case listenerURL = "database.listenerUrl"
  case poolSize = "database.poolSize"
  case maxPendingPerConnection = "database.maxPendingPerConnection"
  case connectTimeout = "database.connectTimeoutSeconds"
  case statementTimeout = "database.statementTimeoutSeconds"
  case lockTimeout = "database.lockTimeoutMilliseconds"
  case targetSession = "database.targetSession"
  case synchronousCommit = "database.synchronousCommit"
  case tcpUserTimeout = "database.tcpUserTimeoutSeconds"
  case keepalivesIdle = "database.keepalivesIdleSeconds"
  case keepalivesInterval = "database.keepalivesIntervalSeconds"
  case keepalivesCount = "database.keepalivesCount"
  case maxReconnectPause = "database.maxReconnectPauseMilliseconds"
  case writeWait = "database.writeWaitMilliseconds"
  case shards = "batching.shards"
  case maxBatchSize = "batching.maxSize"
  case maxPendingChanges = "batching.maxPending"
  case eventLoops = "server.eventLoops"
  case busyPoll = "server.busyPollMicroseconds"
  case sweepInterval = "sweeper.intervalSeconds"
  case sweepBatchSize = "sweeper.batchSize"
  case metricsInterval = "metrics.intervalSeconds"
  case maxConnections = "limits.maxConnections"
  case maxConnectionsPerUser = "limits.maxConnectionsPerUser"
  case maxConnectionsPerGuest = "limits.maxConnectionsPerGuest"
  case reservedConnections = "limits.reservedConnections"
  case maxConnectionsPerSecondPerUser = "limits.maxConnectionsPerSecondPerUser"
  case maxConcurrentCalls = "limits.maxConcurrentCalls"
  case maxConcurrentCallsPerUser = "limits.maxConcurrentCallsPerUser"
  case maxConcurrentCallsPerGuest = "limits.maxConcurrentCallsPerGuest"
  case maxConcurrentCallsPerConnection = "limits.maxConcurrentCallsPerConnection"
  case maxEndlessCalls = "limits.maxEndlessCalls"
  case maxEndlessCallsPerUser = "limits.maxEndlessCallsPerUser"
  case maxEndlessCallsPerGuest = "limits.maxEndlessCallsPerGuest"
  case maxEndlessCallsPerConnection = "limits.maxEndlessCallsPerConnection"
  case maxMessageBytes = "limits.maxMessageBytes"
  case maxQueuedBytes = "limits.maxQueuedBytes"
  case maxQueuedBytesPerConnection = "limits.maxQueuedBytesPerConnection"
  case maxQueuedBytesPerStream = "limits.maxQueuedBytesPerStream"
  case defaultCallTimeout = "limits.defaultCallTimeoutSeconds"
  case idleTimeout = "limits.idleTimeoutSeconds"
  case frameTimeout = "limits.frameTimeoutSeconds"
  case slowReaderTimeout = "limits.slowReaderTimeoutSeconds"
  case writeTimeout = "limits.writeTimeoutSeconds"
  case shutdownTimeout = "limits.shutdownTimeoutSeconds"
  case logLevel = "log.level"
  case logFormat = "log.format"
  case logCallLevel = "log.callLevel"

  /// The settings that may contain a password, and are also read from credentials.
  static let secrets: [SettingKey] = [.databaseURL, .listenerURL]

  /// The name of the environment variable.
  var environmentName: String {
    var name = "MOCKUPD_"
    for character in rawValue {
      switch character {
      case ".": name += "_"
      case _ where character.isUppercase: name += "_\(character)"
      default: name += character.uppercased()
      }
    }
    return name
  }

  /// Returns a warning for each environment variable that has the prefix of settings but names
  /// none.
  ///
  /// They are not errors, because other programs may use the prefix.
  static func warnings(about environment: some Sequence<String>) -> [String] {
    let known = Set(allCases.map(\.environmentName))
    return environment.filter { $0.hasPrefix("MOCKUPD_") && !known.contains($0) }.sorted()
      .map { name in
        """
        ignoring the environment variable \(name): no setting has this name; `mockupd settings` \
        lists them
        """
      }
  }
}

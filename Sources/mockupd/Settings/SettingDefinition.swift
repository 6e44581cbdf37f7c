internal import Logging
internal import Postgres
internal import TTRPC

/// A row of the table of settings: the values that a setting takes, its default and its help.
struct SettingDefinition: Sendable {
  enum Values: Sendable {
    case integer(ClosedRange<Int>, default: Int)
    /// An integer whose default follows from other settings; the text describes it.
    case derivedInteger(ClosedRange<Int>, default: String)
    case text(default: String)
    case choice([String], default: String)
    /// Permissions of a file, in octal.
    case permissions(default: String)
    /// A group of the system, by name or number.
    case group(default: String)
    /// Users and groups of the system, as a text with commas or, in the file, as a list of texts.
    case principals(default: String)
    /// A database, as libpq takes it. `nil`: the setting is required.
    case database(default: String?)
  }

  let values: Values
  let help: String
  /// True if SIGHUP puts a new value into effect.
  ///
  /// New values of all other settings take effect at the next start.
  let isReloadable: Bool

  init(_ values: Values, _ help: String, isReloadable: Bool = false) {
    self.values = values
    self.help = help
    self.isReloadable = isReloadable
  }

  /// The help, with a note if the setting is reloadable.
  var description: String { isReloadable ? help + "; reloaded on SIGHUP" : help }

  /// The values that the setting takes, in words.
  var type: String {
    switch values {
    case .integer(let range, _), .derivedInteger(let range, _):
      "integer, \(range.lowerBound) to \(range.upperBound)"
    case .text: "text"
    case .choice(let words, _): words.joined(separator: ", ")
    case .permissions: "octal, 0000 to 0777"
    case .group: "group name or number below 4294967295"
    case .principals: "user:NAME, uid:N, group:NAME or gid:N, separated by commas"
    case .database: "URL or key=value pairs of libpq"
    }
  }

  /// The default, in words; `nil` if the setting is required.
  var defaultValue: String? {
    switch values {
    case .integer(_, let number): "\(number)"
    case .derivedInteger(_, let text), .text(let text), .choice(_, let text),
      .permissions(let text), .group(let text), .principals(let text):
      text
    case .database(let text): text
    }
  }
}

extension SettingKey {
  private static let millionAtMost = 1...1_000_000

  var definition: SettingDefinition {
    switch self {
    case .socketPath:
      .init(
        .text(default: "/run/mockupd/mockupd.sock"),
        "path of the Unix socket, at most 107 bytes; ignored if systemd passes a socket, as "
          + "are socket.mode, socket.group and socket.backlog")
    case .socketMode:
      .init(
        .permissions(default: "0660"),
        "permissions of the socket")
    case .socketGroup:
      .init(
        .group(default: "the group of the process"),
        "group of the socket")
    case .socketBacklog:
      .init(
        .integer(Self.millionAtMost, default: Int(UnixListener.defaultBacklog)),
        "maximum number of connections waiting to be accepted, limited by "
          + "net.core.somaxconn; ignored if systemd passes a socket")
    case .policyAdmin:
      .init(
        .principals(default: "root and the user of the server, if no policy setting is given"),
        "callers that may call every method; any policy setting replaces the default policy",
        isReloadable: true)
    case .policyService:
      .init(
        .principals(default: "none"), "callers that reserve and spend credits and request mockups",
        isReloadable: true)
    case .policyWorker:
      .init(.principals(default: "none"), "callers that generate mockups", isReloadable: true)
    case .policyScheduler:
      .init(
        .principals(default: "none"), "callers that record pins and impressions",
        isReloadable: true)
    case .policyReader:
      .init(.principals(default: "none"), "callers that only read", isReloadable: true)
    case .policyMonitor:
      .init(
        .principals(default: "none"),
        "callers that read the metrics and the server's state only, such as Prometheus",
        isReloadable: true)
    case .databaseURL:
      .init(.database(default: nil), "the database")
    case .listenerURL:
      .init(
        .database(default: "database.url"),
        "the same database for the connection that uses LISTEN; needed if database.url is "
          + "that of a pooler in transaction pooling mode")
    case .poolSize:
      .init(
        .integer(1...256, default: 4),
        "number of connections for calls, half of them for reads; the health check, LISTEN, and "
          + "statements that wait for locks have another one each. Through a proxy over "
          + "partitions, the server has more; see the article Partitions")
    case .maxPendingPerConnection:
      .init(
        .integer(Self.millionAtMost, default: 1024),
        "maximum number of statements queued and in flight on one connection")
    case .connectTimeout:
      .init(
        .integer(1...3600, default: 5),
        "seconds to wait for a connection to one host of the database, also at the start")
    case .statementTimeout:
      .init(.integer(1...86_400, default: 30), "seconds that a statement may run")
    case .lockTimeout:
      .init(
        .integer(1...60_000, default: 100),
        "milliseconds that a statement waits for a lock of another session, before it is run again "
          + "on the connection that is set apart for such statements")
    case .targetSession:
      .init(
        .choice(
          PostgresConfiguration.TargetSession.allCases.map(\.rawValue), default: "read-write"),
        "kind of session that a host must offer, or else the next host of the URL is tried")
    case .synchronousCommit:
      .init(
        .choice(Settings.SynchronousCommit.allCases.map(\.rawValue), default: "server"),
        "synchronous_commit of the sessions; server: the database's own setting. With off, and "
          + "with local if the database has standbys, acknowledged calls can be lost")
    case .tcpUserTimeout:
      .init(
        .integer(1...3600, default: 10),
        "seconds after which a TCP connection to the database is closed if the host does not "
          + "acknowledge what was sent; tcp_user_timeout in the URL takes precedence")
    case .keepalivesIdle:
      .init(
        .integer(1...3600, default: 4),
        "seconds without traffic after which TCP probes the database's host; keepalives_idle in "
          + "the URL takes precedence")
    case .keepalivesInterval:
      .init(
        .integer(1...3600, default: 2),
        "seconds between two of these probes; keepalives_interval in the URL takes precedence")
    case .keepalivesCount:
      .init(
        .integer(1...100, default: 3),
        "number of unanswered probes after which the connection is closed; keepalives_count in "
          + "the URL takes precedence")
    case .maxReconnectPause:
      .init(
        .integer(100...3_600_000, default: 1000),
        "longest pause in milliseconds between two attempts to connect to the database")
    case .writeWait:
      .init(
        .integer(0...3_600_000, default: 500),
        "milliseconds that a write may wait for the database before the health check writes, "
          + "too; if its write does not complete in 2 seconds, the server does not serve")
    case .shards:
      .init(
        .integer(1...64, default: 2),
        "number of shards into which the users, or those of each partition, are divided; each "
          + "shard writes one batch of credit changes, and one of workers' reports, at a time")
    case .maxBatchSize:
      .init(
        .integer(1...4096, default: 512),
        "maximum number of changes in one batch; at most 64 workers' reports")
    case .maxPendingChanges:
      .init(
        .integer(Self.millionAtMost, default: 4096),
        "maximum number of items that wait in each of three queues: credit changes, workers' "
          + "reports, and batches of pins and impressions; the first two are counted over all "
          + "shards, or those of one partition; further items are refused with RESOURCE_EXHAUSTED")
    case .eventLoops:
      .init(.integer(1...256, default: 1), "number of threads that read and write sockets")
    case .busyPoll:
      .init(
        .integer(0...1000, default: 50),
        "microseconds that a thread polls for the next call of the peer it has just "
          + "answered, before it sleeps; 0: no polling")
    case .sweepInterval:
      .init(
        .integer(0...86_400, default: 5),
        "interval in seconds, randomized by up to a quarter, at which due reservations "
          + "and leases are expired; 0: never")
    case .sweepBatchSize:
      .init(
        .integer(1...10_000, default: 100),
        "maximum number of counters, or of leases, that one transaction of the sweeper "
          + "examines")
    case .metricsInterval:
      .init(
        .integer(0...3600, default: 15),
        "interval in seconds at which the metrics of all users' credits are read from the "
          + "database; 0: never")
    case .maxConnections:
      .init(.integer(Self.millionAtMost, default: 4096), "maximum number of open connections")
    case .maxConnectionsPerUser:
      .init(
        .derivedInteger(
          Self.millionAtMost, default: "three quarters of limits.maxConnections"),
        "maximum number of open connections of one user with a role")
    case .maxConnectionsPerGuest:
      .init(
        .integer(Self.millionAtMost, default: 64),
        "maximum number of open connections of one user without a role; all such users "
          + "together get half of limits.maxConnections")
    case .reservedConnections:
      .init(
        .integer(0...1000, default: 16),
        "number of connections beyond these limits, for health checks and HTTP; at most 2 "
          + "per user")
    case .maxConnectionsPerSecondPerUser:
      .init(
        .integer(0...1_000_000, default: 200),
        "connections per second of one user above which new connections wait, for at most a "
          + "second; a burst may have five times as many; 0: no limit")
    case .maxConcurrentCalls:
      .init(
        .integer(Self.millionAtMost, default: 16_384),
        "maximum number of calls in flight, endless calls excluded")
    case .maxConcurrentCallsPerUser:
      .init(
        .derivedInteger(
          Self.millionAtMost, default: "three quarters of limits.maxConcurrentCalls"),
        "maximum number of calls in flight of one user with a role")
    case .maxConcurrentCallsPerGuest:
      .init(
        .integer(Self.millionAtMost, default: 256),
        "maximum number of calls in flight of one user without a role; all such users "
          + "together get half of limits.maxConcurrentCalls")
    case .maxConcurrentCallsPerConnection:
      .init(
        .integer(Self.millionAtMost, default: 1024),
        "maximum number of calls in flight on one connection, without endless calls")
    case .maxEndlessCalls:
      .init(
        .integer(Self.millionAtMost, default: 16_384),
        "maximum number of endless calls: streams whose callers set no deadline, such as "
          + "watches")
    case .maxEndlessCallsPerUser:
      .init(
        .derivedInteger(
          Self.millionAtMost, default: "three quarters of limits.maxEndlessCalls"),
        "maximum number of endless calls of one user with a role; a further call ends the oldest")
    case .maxEndlessCallsPerGuest:
      .init(
        .integer(Self.millionAtMost, default: 32),
        "maximum number of endless calls of one user without a role; a further call ends "
          + "the oldest")
    case .maxEndlessCallsPerConnection:
      .init(
        .integer(Self.millionAtMost, default: 1024),
        "maximum number of endless calls on one connection; a further call ends the oldest")
    case .maxMessageBytes:
      .init(
        .integer(
          1024...WireLimits.protocolMaximumMessageSize,
          default: WireLimits.protocolMaximumMessageSize),
        "maximum size of a message in bytes; below a million, it also limits the items of a batch, "
          + "to one for each 2000 bytes")
    case .maxQueuedBytes:
      .init(
        .integer(1_048_576...1_099_511_627_776, default: 536_870_912),
        "maximum number of bytes waiting to be read, on all connections")
    case .maxQueuedBytesPerConnection:
      .init(
        .integer(65_536...1_073_741_824, default: 16_777_216),
        "maximum number of bytes waiting to be read, on one connection")
    case .maxQueuedBytesPerStream:
      .init(
        .integer(1024...1_073_741_824, default: 4_194_304),
        "maximum number of bytes waiting to be read, on one stream")
    case .defaultCallTimeout:
      .init(
        .integer(0...86_400, default: 60),
        "seconds that a call with a single response may take if its caller sets no "
          + "deadline; 0: no limit")
    case .idleTimeout:
      .init(
        .integer(0...31_536_000, default: 0),
        "seconds after which an idle connection is closed; 0: never")
    case .frameTimeout:
      .init(
        .integer(1...86_400, default: 30),
        "seconds that a frame, or a single request over gRPC, may take to arrive")
    case .slowReaderTimeout:
      .init(
        .integer(0...3600, default: 5),
        "seconds that a connection is not read while one of its streams has too many "
          + "messages waiting, before the stream is ended")
    case .writeTimeout:
      .init(.integer(1...86_400, default: 30), "seconds that a peer may leave responses unread")
    case .shutdownTimeout:
      .init(
        .integer(0...86_400, default: 10),
        "seconds that calls in flight may take to finish when the server stops")
    case .logLevel:
      .init(.choice(Self.logLevels, default: "info"), "lowest level that is logged")
    case .logFormat:
      .init(
        .choice(LogFormat.allCases.map(\.rawValue), default: "text"),
        "format of log lines; journal: text with a priority for journald and without a time")
    case .logCallLevel:
      .init(.choice(Self.logLevels, default: "debug"), "log level of the line for each call")
    }
  }

  private static let logLevels = Logger.Level.allCases.map(\.rawValue)
}

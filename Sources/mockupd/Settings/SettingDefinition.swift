internal import Logging
internal import TTRPC

/// A row of the table of settings: the values that a setting takes, its default and its help.
struct SettingDefinition: Sendable {
  enum Values: Sendable {
    case integer(ClosedRange<Int>, default: Int)
    /// An integer whose default follows from other settings, as the text says.
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
  /// True if SIGHUP puts a new value into effect. All other settings take effect at the next start.
  let isReloadable: Bool

  init(_ values: Values, _ help: String, isReloadable: Bool = false) {
    self.values = values
    self.help = help
    self.isReloadable = isReloadable
  }

  /// The values that the setting takes, in words.
  var type: String {
    switch values {
    case .integer(let range, _), .derivedInteger(let range, _):
      "integer, \(range.lowerBound) to \(range.upperBound)"
    case .text: "text"
    case .choice(let words, _): words.joined(separator: ", ")
    case .permissions: "octal, 0000 to 0777"
    case .group: "group name or number"
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
        "path of the Unix socket, at most 107 bytes; ignored with a socket passed by systemd")
    case .socketMode:
      .init(
        .permissions(default: "0660"),
        "permissions of the socket; ignored with a socket passed by systemd")
    case .socketGroup:
      .init(
        .group(default: "the group of the process"),
        "group of the socket; ignored with a socket passed by systemd")
    case .socketBacklog:
      .init(
        .integer(Self.millionAtMost, default: Int(UnixListener.defaultBacklog)),
        "connections that may wait to be accepted, up to the system's net.core.somaxconn; ignored "
          + "with a socket passed by systemd")
    case .policyAdmin:
      .init(
        .principals(default: "root and the user of the server, if no policy setting is given"),
        "peers that may call every method", isReloadable: true)
    case .policyService:
      .init(
        .principals(default: "none"), "peers that spend credits and request mockups",
        isReloadable: true)
    case .policyWorker:
      .init(.principals(default: "none"), "peers that generate mockups", isReloadable: true)
    case .policyScheduler:
      .init(
        .principals(default: "none"), "peers that report pins and impressions",
        isReloadable: true)
    case .policyReader:
      .init(.principals(default: "none"), "peers that may only read", isReloadable: true)
    case .databaseURL:
      .init(.database(default: nil), "the database")
    case .listenerURL:
      .init(
        .database(default: "database.url"),
        "the same database for the connection that uses LISTEN, if database.url leads to a pooler "
          + "in transaction mode")
    case .poolSize:
      .init(.integer(1...256, default: 4), "connections to the database")
    case .maxPendingPerConnection:
      .init(
        .integer(Self.millionAtMost, default: 1024),
        "statements queued and in flight on one connection to the database")
    case .connectTimeout:
      .init(.integer(1...3600, default: 5), "time to connect to the database, also at the start")
    case .statementTimeout:
      .init(.integer(1...86_400, default: 30), "time that a statement may run")
    case .shards:
      .init(
        .integer(1...64, default: 2),
        "groups of users; each group's changes of credits are written one batch at a time")
    case .maxBatchSize:
      .init(.integer(1...4096, default: 512), "changes of credits in one batch")
    case .maxPendingChanges:
      .init(
        .integer(Self.millionAtMost, default: 4096),
        "changes of credits that wait for a batch, of all shards; further ones are refused")
    case .eventLoops:
      .init(.integer(1...256, default: 1), "threads that read and write sockets")
    case .busyPoll:
      .init(
        .integer(0...1000, default: 50),
        "time that a thread polls for a peer's next call after a response, before it sleeps; 0: "
          + "none")
    case .sweepInterval:
      .init(
        .integer(0...86_400, default: 5),
        "interval at which due reservations and leases are expired, give or take a quarter; 0: "
          + "never")
    case .sweepBatchSize:
      .init(
        .integer(1...10_000, default: 100),
        "users' years, or leases, that the sweeper examines in one transaction")
    case .maxConnections:
      .init(.integer(Self.millionAtMost, default: 4096), "open connections")
    case .maxConnectionsPerUser:
      .init(
        .derivedInteger(
          Self.millionAtMost, default: "three quarters of limits.maxConnections"),
        "open connections of one user with a role")
    case .maxConnectionsPerGuest:
      .init(
        .integer(Self.millionAtMost, default: 64),
        "open connections of one user without a role; all such users together get half of "
          + "limits.maxConnections")
    case .reservedConnections:
      .init(
        .integer(0...1000, default: 16),
        "connections beyond these limits, for health checks and HTTP; at most 2 of one user")
    case .maxConcurrentCalls:
      .init(
        .integer(Self.millionAtMost, default: 16_384), "calls in flight, without endless calls")
    case .maxConcurrentCallsPerUser:
      .init(
        .derivedInteger(
          Self.millionAtMost, default: "three quarters of limits.maxConcurrentCalls"),
        "calls in flight of one user with a role, without endless calls")
    case .maxConcurrentCallsPerGuest:
      .init(
        .integer(Self.millionAtMost, default: 256),
        "calls in flight of one user without a role, without endless calls; all such users together "
          + "get half of limits.maxConcurrentCalls")
    case .maxConcurrentCallsPerConnection:
      .init(
        .integer(Self.millionAtMost, default: 1024),
        "calls in flight on one connection, without endless calls")
    case .maxEndlessCalls:
      .init(
        .integer(Self.millionAtMost, default: 16_384),
        "endless calls: streams without a deadline, such as watches")
    case .maxEndlessCallsPerUser:
      .init(
        .derivedInteger(
          Self.millionAtMost, default: "three quarters of limits.maxEndlessCalls"),
        "endless calls of one user with a role; one more ends the oldest")
    case .maxEndlessCallsPerGuest:
      .init(
        .integer(Self.millionAtMost, default: 32),
        "endless calls of one user without a role; one more ends the oldest")
    case .maxEndlessCallsPerConnection:
      .init(
        .integer(Self.millionAtMost, default: 1024),
        "endless calls on one connection; one more ends the oldest")
    case .maxMessageBytes:
      .init(
        .integer(
          1024...WireLimits.protocolMaximumMessageSize,
          default: WireLimits.protocolMaximumMessageSize),
        "length of a message")
    case .maxQueuedBytes:
      .init(
        .integer(1_048_576...1_099_511_627_776, default: 536_870_912),
        "bytes that wait to be read, on all connections")
    case .maxQueuedBytesPerConnection:
      .init(
        .integer(65_536...1_073_741_824, default: 16_777_216),
        "bytes that wait to be read on one connection")
    case .maxQueuedBytesPerStream:
      .init(
        .integer(1024...1_073_741_824, default: 4_194_304),
        "bytes that wait to be read on one stream")
    case .defaultCallTimeout:
      .init(
        .integer(0...86_400, default: 60),
        "deadline of a call with one response whose caller sets none; 0: none")
    case .idleTimeout:
      .init(
        .integer(0...31_536_000, default: 0), "time that a connection may be idle; 0: no limit")
    case .frameTimeout:
      .init(.integer(1...86_400, default: 30), "time that a frame may take to arrive")
    case .slowReaderTimeout:
      .init(
        .integer(0...3600, default: 5),
        "time that a connection is not read because one of its streams has more messages waiting "
          + "than it may; then the stream is ended")
    case .writeTimeout:
      .init(.integer(1...86_400, default: 30), "time that a peer may leave responses unread")
    case .shutdownTimeout:
      .init(
        .integer(0...86_400, default: 10), "time that calls in flight may take at shutdown")
    case .logLevel:
      .init(.choice(Self.logLevels, default: "info"), "least severe level that is logged")
    case .logFormat:
      .init(.choice(LogFormat.allCases.map(\.rawValue), default: "text"), "format of log lines")
    case .logCallLevel:
      .init(.choice(Self.logLevels, default: "debug"), "level of the log line for each call")
    }
  }

  private static let logLevels = Logger.Level.allCases.map(\.rawValue)
}

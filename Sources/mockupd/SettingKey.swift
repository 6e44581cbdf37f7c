/// Every setting, by its place in the file. In the environment it is `MOCKUPD_` and the same words in
/// capitals, with `_` between them.
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
  case databaseURL = "database.url"
  case databaseListenerURL = "database.listenerUrl"
  case databaseConnections = "database.connections"
  case databasePending = "database.pendingPerConnection"
  case databaseConnectSeconds = "database.connectSeconds"
  case databaseStatementSeconds = "database.statementSeconds"
  case writerShards = "writer.shards"
  case writerBatch = "writer.batch"
  case writerWaiting = "writer.waiting"
  case eventLoops = "server.eventLoops"
  case pollMicroseconds = "server.pollMicroseconds"
  case sweeperSeconds = "sweeper.intervalSeconds"
  case sweeperBatch = "sweeper.batch"
  case limitConnections = "limits.connections"
  case limitConnectionsPerUser = "limits.connectionsPerUser"
  case limitConnectionsPerGuest = "limits.connectionsPerGuest"
  case limitReservedConnections = "limits.reservedConnections"
  case limitCalls = "limits.calls"
  case limitCallsPerUser = "limits.callsPerUser"
  case limitCallsPerGuest = "limits.callsPerGuest"
  case limitCallsPerConnection = "limits.callsPerConnection"
  case limitEndlessCalls = "limits.endlessCalls"
  case limitEndlessCallsPerUser = "limits.endlessCallsPerUser"
  case limitEndlessCallsPerGuest = "limits.endlessCallsPerGuest"
  case limitEndlessCallsPerConnection = "limits.endlessCallsPerConnection"
  case limitMessageBytes = "limits.messageBytes"
  case limitQueuedBytes = "limits.queuedBytes"
  case limitQueuedBytesPerConnection = "limits.queuedBytesPerConnection"
  case limitQueuedBytesPerStream = "limits.queuedBytesPerStream"
  case limitCallSeconds = "limits.callSeconds"
  case limitIdleSeconds = "limits.idleSeconds"
  case limitFrameSeconds = "limits.frameSeconds"
  case limitSlowReaderSeconds = "limits.slowReaderSeconds"
  case limitWriteSeconds = "limits.writeSeconds"
  case limitDrainSeconds = "limits.drainSeconds"
  case logLevel = "log.level"
  case logFormat = "log.format"
  case logCallLevel = "log.callLevel"

  /// What it sets, and what it is where nobody says.
  var help: String {
    switch self {
    case .socketPath:
      "where to listen; at most 107 bytes; as its mode and group without meaning where systemd "
        + "hands on a socket (/run/mockupd/mockupd.sock)"
    case .socketMode: "the socket's permissions, in octal (0660)"
    case .socketGroup: "the socket's group, by name or number (the process's own)"
    case .socketBacklog:
      "connections that may wait to be accepted; net.core.somaxconn is the system's limit; without "
        + "meaning for a socket that systemd passes (1024)"
    case .policyAdmin:
      "who may do everything, as all policy settings user:NAME, uid:N, group:NAME or gid:N, "
        + "several with commas (where no policy setting is given: root and the server's own user)"
    case .policyService: "who spends credits and asks for mockups (nobody)"
    case .policyWorker: "who generates mockups (nobody)"
    case .policyScheduler: "who counts pins and impressions (nobody)"
    case .policyReader: "who looks on (nobody)"
    case .databaseURL: "the database, as libpq takes it; required"
    case .databaseListenerURL:
      "the same database for the one connection that uses LISTEN, where database.url is that of a "
        + "pooler of transactions (database.url)"
    case .databaseConnections: "connections to the database (4)"
    case .databasePending: "statements queued and in flight on one connection (1024)"
    case .databaseConnectSeconds: "how long to wait for a connection, also at the start (5)"
    case .databaseStatementSeconds: "how long a statement may run (30)"
    case .writerShards:
      "groups of users whose changes of credits are written side by side, each group's in one batch "
        + "at a time (2)"
    case .writerBatch: "changes in one batch (512)"
    case .writerWaiting: "changes that wait for their batch, in all; one more is refused (4096)"
    case .eventLoops: "threads that move bytes (1)"
    case .pollMicroseconds:
      "how long a thread looks for the next call of who has just been answered, before it sleeps; "
        + "0: not at all (50)"
    case .sweeperSeconds:
      "how often what is due and untouched is expired, give or take a quarter; 0: never (5)"
    case .sweeperBatch: "how many users' years or leases one transaction of it examines (100)"
    case .limitConnections: "open connections (4096)"
    case .limitConnectionsPerUser:
      "open connections of one user that has a role (three quarters of limits.connections: 3072)"
    case .limitConnectionsPerGuest:
      "open connections of one user without a role; all such users together get half of "
        + "limits.connections (64)"
    case .limitReservedConnections:
      "connections beyond these limits, for health checks and HTTP; at most 2 of one user (16)"
    case .limitCalls: "calls in flight, endless calls excluded (16384)"
    case .limitCallsPerUser:
      "calls in flight of one user that has a role (three quarters of limits.calls: 12288)"
    case .limitCallsPerGuest:
      "calls in flight of one user without a role; all such users together get half of limits.calls "
        + "(256)"
    case .limitCallsPerConnection:
      "calls in flight on one connection, endless calls excluded (1024)"
    case .limitEndlessCalls:
      "endless calls: streams whose callers set no deadline, such as watches (16384)"
    case .limitEndlessCallsPerUser:
      "endless calls of one user that has a role; one more ends the oldest (three quarters of "
        + "limits.endlessCalls: 12288)"
    case .limitEndlessCallsPerGuest:
      "endless calls of one user without a role; one more ends the oldest (32)"
    case .limitEndlessCallsPerConnection:
      "endless calls on one connection; one more ends the oldest (1024)"
    case .limitMessageBytes: "the longest message; at most 4194304 (4194304)"
    case .limitQueuedBytes: "bytes that wait to be read on all connections (536870912)"
    case .limitQueuedBytesPerConnection: "bytes that wait to be read on one connection (16777216)"
    case .limitQueuedBytesPerStream: "bytes that wait to be read on one stream (4194304)"
    case .limitCallSeconds:
      "how long a call with one answer may take whose caller sets no deadline; 0: no limit (60)"
    case .limitIdleSeconds: "how long a connection may be silent; 0: as long as it likes (0)"
    case .limitFrameSeconds: "how long a frame may take to arrive (30)"
    case .limitSlowReaderSeconds:
      "how long a connection is not read while one of its streams has more messages waiting than it "
        + "may, before the stream is ended (5)"
    case .limitWriteSeconds: "how long a peer may leave answers unread (30)"
    case .limitDrainSeconds: "how long running calls may take when stopping (10)"
    case .logLevel: "trace, debug, info, notice, warning, error or critical (info)"
    case .logFormat: "text or json (text)"
    case .logCallLevel: "the level of the line for each call (debug)"
    }
  }

  /// The environment variable's name.
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
}

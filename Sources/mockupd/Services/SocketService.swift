internal import Logging
internal import MockupDatabase
internal import Postgres
internal import ServiceLifecycle
internal import StandardStreams
internal import TTRPC

/// The service that runs the server on its socket until the service group stops.
struct SocketService: ServiceLifecycle.Service, CustomStringConvertible {
  let server: Server
  let readiness: DatabaseReadiness
  let settings: Settings
  /// The listening socket that the service manager passed; `nil` to create one from the settings.
  let inherited: Int32?
  let managerNotifier: ServiceManagerNotifier
  let logger: Logger
  /// Receives the path of the socket when the server answers calls.
  let onReady: @Sendable (String) -> Void

  var description: String { "socket" }

  func run() async throws {
    try await withGracefulShutdownHandler {
      managerNotifier.starting("waiting for the database")
      do {
        try await cancelWhenGracefulShutdown { try await waitForDatabase() }
      } catch {
        if Task.isShuttingDownGracefully { return }
        throw error
      }
      let listener = try makeListener()
      let path = listener.path
      try await server.run(on: listener) {
        logger.notice("ready", metadata: ["socket": "\(path)"])
        onReady(path)
        managerNotifier.ready("answering calls on \(path)")
      }
      logger.notice("stopped")
    } onGracefulShutdown: {
      managerNotifier.stopping()
      server.drain()
    }
  }

  private func makeListener() throws -> UnixListener {
    if let inherited { return try UnixListener(inherited: inherited) }
    return try UnixListener(
      path: settings.socketPath, mode: settings.socketMode, groupID: settings.socketGroup,
      backlog: settings.socketBacklog)
  }

  /// Waits until the database is ready, for at most the timeout of a connection attempt to each
  /// host.
  ///
  /// After that, the server starts anyway, and answers calls with UNAVAILABLE.
  ///
  /// - Throws: ``UnusableDatabase`` if the schema has another version or the login lacks
  ///   privileges.
  private func waitForDatabase() async throws {
    let last = await withTaskGroup(of: DatabaseCondition?.self) { group in
      group.addTask {
        for await condition in readiness.changes {
          switch condition {
          case .ready, .readOnly, .wrongSchema, .refused: return condition
          case .unreachable, .hanging, .writesHanging: continue
          }
        }
        return nil
      }
      group.addTask {
        try? await Task.sleep(
          for: settings.database.connectTimeout * settings.database.hostCount)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
    try Task.checkCancellation()
    switch last {
    case .ready: break
    case .readOnly, .unreachable, .hanging, .writesHanging, nil:
      logger.warning("serving without the database until it is available")
    // The schema has another version, or the login lacks privileges.
    case let condition?: throw UnusableDatabase(condition)
    }
  }
}

/// The error that the server cannot use the database in its current condition.
struct UnusableDatabase: ErrorWithExitCode, CustomStringConvertible {
  let condition: DatabaseCondition

  init(_ condition: DatabaseCondition) {
    self.condition = condition
  }

  var description: String { condition.report }

  /// The exit code: 1 if an operator must change something, otherwise `EX_UNAVAILABLE`.
  var exitCode: Int32 {
    switch condition {
    case .ready, .wrongSchema, .refused: 1
    case .unreachable, .hanging, .writesHanging, .readOnly: CommandError.unavailable
    }
  }
}

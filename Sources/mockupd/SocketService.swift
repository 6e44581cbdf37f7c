internal import Glibc
internal import Logging
internal import MockupStore
internal import Postgres
internal import ServiceLifecycle
internal import StandardStreams
internal import TTRPC

/// Keeps the socket until the group stops.
struct SocketService: ServiceLifecycle.Service, CustomStringConvertible {
  let server: Server
  let readiness: DatabaseReadiness
  let settings: Settings
  /// A listening socket that was handed on, in place of the settings' own.
  let inherited: Int32?
  let supervisor: Supervisor
  let logger: Logger

  var description: String { "socket" }

  func run() async throws {
    try await withGracefulShutdownHandler {
      supervisor.starting("waiting for the database")
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
        announce("ready \(path)")
        supervisor.ready("answering calls on \(path)")
      }
      logger.notice("stopped")
    } onGracefulShutdown: {
      supervisor.stopping()
      server.drain()
    }
  }

  private func makeListener() throws -> UnixListener {
    if let inherited { return try UnixListener(inherited: inherited) }
    return try UnixListener(
      path: settings.socketPath, mode: settings.socketMode, groupID: settings.socketGroup,
      backlog: settings.socketBacklog)
  }

  /// Waits until the database is ready, for as long as an attempt to connect may take: after that,
  /// callers are told. A schema of another version, or a login without privileges, is an error.
  private func waitForDatabase() async throws {
    let last = await withTaskGroup(of: DatabaseCondition?.self) { group in
      group.addTask {
        for await condition in readiness.changes {
          switch condition {
          case .ready, .readOnly, .wrongSchema, .refused: return condition
          case .unreachable, .hanging: continue
          }
        }
        return nil
      }
      group.addTask {
        try? await Task.sleep(for: settings.database.connectTimeout)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
    try Task.checkCancellation()
    switch last {
    case .ready: break
    case .wrongSchema, .refused: throw UnusableDatabase(reason: last?.report ?? "")
    case .readOnly, .unreachable, .hanging, nil:
      logger.warning("serving without the database until it is back")
    }
  }
}

/// Writes a line to standard output, for the program that started this one and waits for it. The log
/// goes to standard error.
private func announce(_ line: String) {
  LineWriter(STDOUT_FILENO).write(line)
}

/// The server cannot work with its database, and waiting does not help.
struct UnusableDatabase: Error, CustomStringConvertible {
  let reason: String

  var description: String { reason }
}

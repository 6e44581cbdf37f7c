internal import Logging
internal import MockupStore
internal import Postgres
internal import ServiceLifecycle
internal import SystemPackage
internal import TTRPC

/// Keeps the socket until the group stops.
struct SocketService: ServiceLifecycle.Service, CustomStringConvertible {
  let server: Server
  let pool: Pool
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
        try await cancelWhenGracefulShutdown { try await checkSchema() }
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
      path: settings.socketPath, mode: settings.socketMode, groupID: settings.socketGroup)
  }

  /// Refuses a database that belongs to another version of the program. One that is away is not
  /// asked: nothing can be granted without it.
  private func checkSchema() async throws {
    do {
      // As long as an attempt to connect may take; after it, callers are told.
      try await pool.waitUntilConnected(timeout: settings.database.connectTimeout)
    } catch {
      guard error.code == .timedOut else { throw error }
      logger.warning("serving without the database until it is back")
      return
    }
    let migrator = try Migrator(
      configuration: settings.database, schema: Schema.name, migrations: Schema.migrations)
    let pending = try await migrator.status().pending
    guard pending.isEmpty else { throw SchemaIsOld(pending: pending.map(\.name)) }
  }
}

/// Writes a line to standard output at once, for whoever started the program and waits. The log goes to
/// standard error.
private func announce(_ line: String) {
  _ = try? FileDescriptor.standardOutput.writeAll("\(line)\n".utf8)
}

/// The database lacks migrations.
struct SchemaIsOld: Error, CustomStringConvertible {
  let pending: [String]

  var description: String {
    "the database lacks \(pending.joined(separator: ", ")): run `mockupd migrate` first"
  }
}

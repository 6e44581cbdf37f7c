internal import ArgumentParser
internal import Logging
internal import MockupService
internal import MockupStore
internal import Postgres
internal import ServiceLifecycle
internal import SystemPackage
internal import TTRPC
internal import UnixSignals

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Answer calls until SIGTERM or SIGINT.",
    discussion: """
      Stops taking calls at the first signal, answers those that run, and exits with 0. A database \
      that is away does not stop it: credits are refused with UNAVAILABLE until it is back. A \
      database whose schema is not this program's does.
      """)

  @OptionGroup var flags: SettingsFlags

  func run() async throws {
    let settings = try await Settings(flags)
    let logger = settings.makeLogger()

    let pool = try Pool(configuration: settings.database) { logger.report($0) }
    let server = Server(
      services: [CreditService(store: CreditStore(pool: pool))],
      limits: settings.limits, eventLoops: settings.eventLoops, logger: logger)
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [
          .init(service: DatabaseService(pool: pool)),
          // Started after, and so stopped before, what it stands on.
          .init(
            service: SocketService(
              server: server, pool: pool, settings: settings, logger: logger),
            successTerminationBehavior: .gracefullyShutdownGroup),
        ],
        gracefulShutdownSignals: [.sigterm, .sigint],
        logger: logger))
    try await group.run()
  }
}

/// Keeps the database's connections until the group stops.
private struct DatabaseService: ServiceLifecycle.Service, CustomStringConvertible {
  let pool: Pool

  var description: String { "database" }

  func run() async throws {
    await withGracefulShutdownHandler {
      await pool.run()
    } onGracefulShutdown: {
      pool.shutdown()
    }
  }
}

/// Keeps the socket until the group stops.
private struct SocketService: ServiceLifecycle.Service, CustomStringConvertible {
  /// How long to wait for the database before serving without it.
  private static let databaseWait: Duration = .seconds(5)

  let server: Server
  let pool: Pool
  let settings: Settings
  let logger: Logger

  var description: String { "socket" }

  func run() async throws {
    try await withGracefulShutdownHandler {
      do {
        try await cancelWhenGracefulShutdown { try await checkSchema() }
      } catch {
        if Task.isShuttingDownGracefully { return }
        throw error
      }
      let listener = try UnixListener(
        path: settings.socketPath, mode: settings.socketMode, groupID: settings.socketGroup)
      try await server.run(on: listener) {
        logger.notice("ready", metadata: ["socket": "\(settings.socketPath)"])
        announce("ready \(settings.socketPath)")
      }
      logger.notice("stopped")
    } onGracefulShutdown: {
      server.drain()
    }
  }

  /// Refuses a database that belongs to another version of the program. One that is away is not
  /// asked: nothing can be granted without it.
  private func checkSchema() async throws {
    do {
      try await pool.waitUntilConnected(timeout: Self.databaseWait)
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

extension Logger {
  /// Says what happened to a connection to the database.
  fileprivate func report(_ event: PoolEvent) {
    switch event {
    case .connected:
      info("connected to the database")
    case .connectionFailed(let error, let retryIn):
      warning(
        "cannot connect to the database",
        metadata: ["error": "\(error)", "retry_in": "\(retryIn)"])
    case .connectionLost(let error, let retryIn):
      warning(
        "lost a connection to the database",
        metadata: ["error": "\(error)", "retry_in": "\(retryIn)"])
    case .notice(let notice):
      debug("the database says", metadata: ["notice": "\(notice)"])
    }
  }
}

internal import ArgumentParser
internal import FoundationEssentials
internal import GRPC
internal import Logging
internal import MockupServices
internal import MockupDatabase
internal import Postgres
internal import ServiceLifecycle
internal import Systemd
internal import TTRPC
internal import UnixSignals

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve calls until SIGTERM or SIGINT.",
    discussion: """
      At the first signal, the server stops accepting calls, finishes the calls in flight, and \
      exits with code 0. While the database is unreachable, hangs or is read-only, calls are \
      answered with UNAVAILABLE. A database with a wrong schema is an error at the start; later, \
      the server waits until the schema matches again.

      The exit code is 78 if a setting is not valid, so that a service manager can tell that a \
      restart does not help. `mockupd check` checks the settings without serving calls.

      SIGHUP reloads the settings and applies their access policy; other settings require a \
      restart. A socket passed by systemd (LISTEN_FDS) is used as it is: socket.path, socket.mode \
      and socket.group are then ignored. NOTIFY_SOCKET and WATCHDOG_USEC are honored.
      """)

  @OptionGroup var flags: SettingsFlags

  func run() async throws {
    // These calls remove variables from the environment, which no other thread may read yet.
    let sockets = try ListenDescriptors.take().sockets
    let notifier = try Notifier.take()
    let watchdog = try WatchdogInterval.take()
    guard sockets.count <= 1 else { throw TooManySockets(count: sockets.count) }

    // Installed before the settings are read, because SIGHUP ends the program by default.
    let reloads = await UnixSignalsSequence(trapping: .sighup)
    var settings = try await Settings(flags)
    let telemetry = Telemetry()
    let log = Log(settings) { telemetry.logLineLost() }
    for warning in SettingKey.warnings(about: ProcessInfo.processInfo.environment.keys) {
      log.logger.warning("\(warning)")
    }
    do {
      try settings.fitConnectionsToDescriptors(logger: log.logger)
      try await serve(settings, telemetry, log.logger, sockets, notifier, watchdog, reloads)
      await log.flush()
    } catch {
      await log.flush()
      throw error
    }
  }

  private func serve(
    _ settings: Settings, _ telemetry: Telemetry, _ logger: Logger,
    _ sockets: [ListenDescriptors.Socket], _ notifier: Notifier, _ watchdog: WatchdogInterval?,
    _ reloads: UnixSignalsSequence
  ) async throws {
    let managerNotifier = ServiceManagerNotifier(notifier, logger: logger)
    let access = AccessControl(settings.policy)
    logger.info("policy", metadata: ["policy": "\(access.policy)"])

    let pool = try Pool(configuration: settings.database) { logger.report($0) }
    let watchers = MockupWatchers()
    let feed = try MockupFeedService(
      database: settings.listenerDatabase, watchers: watchers, logger: logger)
    let readiness = DatabaseReadiness()
    let process = ServerProcess()
    let answers = try ServerServices(
      pool: pool, batches: settings.batches,
      limit: ResponseLimit(maximumMessageSize: settings.limits.wire.maximumMessageSize),
      watchers: watchers, process: process)
    let server = Server(
      services: answers.services, formats: [.grpc],
      routes: HTTPRoutes.make(telemetry, pool, answers.health, readiness),
      interceptors: telemetry.interceptors(logger, callLevel: settings.logCallLevel)
        + [access.authorization, answers.shedding]
        + (settings.defaultCallTimeout.map { [DefaultDeadline($0)] } ?? []),
      limits: settings.limits,
      budget: { [userBudget = settings.userBudget, guestBudget = settings.guestBudget] peer in
        access.policy.roles(of: peer).isEmpty ? guestBudget : userBudget
      },
      eventLoops: settings.eventLoops, logger: logger)
    process.setLoad(server.load)
    // Each service starts after, and stops before, the services that it depends on.
    var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
      .init(service: DatabaseService(pool: pool)),
      .init(service: feed),
      .init(service: MemoryService(load: server.load)),
      .init(
        service: try DatabaseHealth(
          database: settings.database, pool: pool, health: answers.health,
          services: answers.names, readiness: readiness, logger: logger)),
      .init(
        service: ReloadService(
          signals: reloads, flags: flags, access: access, server: server,
          managerNotifier: managerNotifier, logger: logger)),
      .init(
        service: SocketService(
          server: server, readiness: readiness, settings: settings,
          inherited: sockets.first?.descriptor,
          managerNotifier: managerNotifier, logger: logger),
        successTerminationBehavior: .gracefullyShutdownGroup),
    ]
    if let interval = settings.sweepInterval {
      services.insert(
        .init(
          service: SweeperService(pool: pool, settings, interval: interval, logger: logger)),
        at: 1)
    }
    if let watchdog {
      services.insert(
        .init(
          service: WatchdogService(
            interval: watchdog, server: server, managerNotifier: managerNotifier)),
        at: 0)
    }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services,
        gracefulShutdownSignals: [.sigterm, .sigint],
        logger: logger))
    try await group.run()
  }
}

/// The error that the service manager passed more than one socket.
private struct TooManySockets: Error, CustomStringConvertible {
  let count: Int

  var description: String { "LISTEN_FDS passes \(count) sockets, but mockupd serves only one" }
}

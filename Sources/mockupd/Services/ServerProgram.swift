internal import GRPC
internal import Logging
internal import MockupServices
internal import MockupDatabase
internal import Postgres
internal import ServiceLifecycle
internal import Systemd
internal import TTRPC
internal import UnixSignals

/// The server with all of its services, from its settings to its end.
struct ServerProgram {
  let settings: Settings
  let telemetry: Telemetry
  let logger: Logger
  let notifier: Notifier
  /// The listening socket that the service manager passed; `nil` to create one from the settings.
  var inherited: Int32?
  /// The interval of the service manager's watchdog; `nil` if there is none.
  var watchdog: WatchdogInterval?
  /// The flags to reload the settings with, and the signals that request it; `nil` for none.
  var reloads: (flags: SettingsFlags, signals: UnixSignalsSequence)?
  /// The requests that stop the server; `nil` for SIGTERM and SIGINT.
  var stopRequests: AsyncStream<Void>?
  /// Receives the path of the socket when the server answers calls; must not block.
  let onReady: @Sendable (String) -> Void

  /// Serves calls until the server is stopped.
  func run() async throws {
    let managerNotifier = ServiceManagerNotifier(notifier, logger: logger)
    let access = AccessControl(settings.policy)
    logger.info("policy", metadata: ["policy": "\(access.policy)"])

    let connections = ConnectionLog(logger)
    let pool = try Pool(configuration: settings.callDatabase) { connections.report($0) }
    let watchers = Watchers()
    let feed = try FeedService(
      database: settings.listenerDatabase, watchers: watchers,
      connections: ConnectionLog(logger), logger: logger)
    let readiness = DatabaseReadiness()
    let process = ServerProcess()
    let answers = try ServerServices(
      pool: pool, batches: settings.batches,
      limit: ResponseLimit(maximumMessageSize: settings.limits.wire.maximumMessageSize),
      watchers: watchers, process: process, observer: telemetry.changes)
    let server = Server(
      services: answers.services, formats: [.grpc],
      routes: HTTPRoutes.make(
        telemetry, answers.health, readiness,
        ServerLoads(
          pool: pool, waitingChanges: answers.waitingChanges, batches: settings.batches)),
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
    var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
    if let watchdog {
      services.append(
        .init(
          service: WatchdogService(
            interval: watchdog, server: server, managerNotifier: managerNotifier)))
    }
    services.append(.init(service: DatabaseService(pool: pool)))
    if let interval = settings.sweepInterval {
      services.append(
        .init(
          service: SweeperService(pool: pool, settings, interval: interval, logger: logger)))
    }
    if let interval = settings.metricsInterval {
      services.append(
        .init(
          service: CreditTotalsService(
            store: AdminStore(pool: pool), metrics: telemetry.totals, interval: interval,
            logger: logger)))
    }
    services += [
      .init(service: feed),
      .init(service: MemoryService(load: server.load)),
      .init(
        service: try DatabaseHealth(
          database: settings.database, pool: pool, health: answers.health,
          services: answers.names, readiness: readiness, writeWait: settings.writeWait,
          logger: logger)),
    ]
    if let reloads {
      services.append(
        .init(
          service: ReloadService(
            signals: reloads.signals, flags: reloads.flags, access: access, server: server,
            managerNotifier: managerNotifier, logger: logger)))
    }
    services.append(
      .init(
        service: SocketService(
          server: server, readiness: readiness, settings: settings, inherited: inherited,
          managerNotifier: managerNotifier, logger: logger, onReady: onReady),
        successTerminationBehavior: .gracefullyShutdownGroup))
    if let stopRequests {
      services.append(
        .init(
          service: StopService(requests: stopRequests),
          successTerminationBehavior: .gracefullyShutdownGroup))
    }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services,
        gracefulShutdownSignals: stopRequests == nil ? [.sigterm, .sigint] : [],
        logger: logger))
    try await group.run()
  }
}

/// The service that ends, and so stops the server, at the first request.
private struct StopService: ServiceLifecycle.Service, CustomStringConvertible {
  let requests: AsyncStream<Void>

  var description: String { "stop" }

  func run() async throws {
    for await _ in requests.cancelOnGracefulShutdown() { return }
  }
}

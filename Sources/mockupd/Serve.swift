internal import ArgumentParser
internal import Logging
internal import MockupService
internal import MockupStore
internal import Postgres
internal import ServiceLifecycle
internal import Systemd
internal import TTRPC
internal import UnixSignals

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Answer calls until SIGTERM or SIGINT.",
    discussion: """
      Stops taking calls at the first signal, answers those that run, and exits with 0. A database \
      that is unreachable, hangs or is read-only does not stop it: calls are answered with \
      UNAVAILABLE until it is back. A database whose schema is not this program's is an error at \
      the start; later, the server waits until the schema is right again.

      SIGHUP reads the settings again and puts their policy in force; all else waits for a new start. \
      A socket that systemd hands on (LISTEN_FDS) is served as it is: socket.path, socket.mode and \
      socket.group then have no meaning. NOTIFY_SOCKET and WATCHDOG_USEC are heeded.
      """)

  @OptionGroup var flags: SettingsFlags

  func run() async throws {
    // What systemd has to say, before anything else reads the environment.
    let sockets = try ListenDescriptors.take().sockets
    let notifier = try Notifier.take()
    let watchdog = try WatchdogInterval.take()
    guard sockets.count <= 1 else { throw TooManySockets(count: sockets.count) }

    // Before there is anything to read again: by default, the signal ends the program.
    let reloads = await UnixSignalsSequence(trapping: .sighup)
    var settings = try await Settings(flags)
    let observation = Observation()
    let log = Log(settings) { observation.logLineLost() }
    do {
      try settings.fitConnectionsToDescriptors(logger: log.logger)
      try await serve(settings, observation, log.logger, sockets, notifier, watchdog, reloads)
      await log.flush()
    } catch {
      await log.flush()
      throw error
    }
  }

  private func serve(
    _ settings: Settings, _ observation: Observation, _ logger: Logger,
    _ sockets: [ListenDescriptors.Socket], _ notifier: Notifier, _ watchdog: WatchdogInterval?,
    _ reloads: UnixSignalsSequence
  ) async throws {
    let supervisor = Supervisor(notifier, logger: logger)
    let access = AccessControl(settings.policy)
    logger.info("policy", metadata: ["policy": "\(access.policy)"])

    let pool = try Pool(configuration: settings.database) { logger.report($0) }
    let watchers = MockupWatchers()
    let feed = try MockupFeedService(
      database: settings.listenerDatabase, watchers: watchers, logger: logger)
    let readiness = DatabaseReadiness()
    let process = ServerProcess()
    let answers = try Answers(
      pool: pool, batches: settings.batches,
      limit: ResponseLimit(maximumMessageSize: settings.limits.wire.maximumMessageSize),
      watchers: watchers, process: process)
    let server = Server(
      services: answers.services,
      routes: HTTPRoutes.make(observation, pool, answers.health, readiness),
      interceptors: observation.interceptors(logger, callLevel: settings.logCallLevel)
        + [access.authorization, answers.shedding]
        + (settings.callTime.map { [DefaultDeadline($0)] } ?? []),
      limits: settings.limits,
      budget: { [userBudget = settings.userBudget, guestBudget = settings.guestBudget] peer in
        access.policy.roles(of: peer).isEmpty ? guestBudget : userBudget
      },
      eventLoops: settings.eventLoops, logger: logger)
    process.serves(with: server.load)
    // Each is started after, and so stopped before, what it stands on.
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
          signals: reloads, flags: flags, access: access, server: server, supervisor: supervisor,
          logger: logger)),
      .init(
        service: SocketService(
          server: server, readiness: readiness, settings: settings,
          inherited: sockets.first?.descriptor,
          supervisor: supervisor, logger: logger),
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
          service: WatchdogService(interval: watchdog, server: server, supervisor: supervisor)),
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

/// More was handed on than there is to serve.
private struct TooManySockets: Error, CustomStringConvertible {
  let count: Int

  var description: String { "LISTEN_FDS hands on \(count) sockets, and mockupd serves one" }
}

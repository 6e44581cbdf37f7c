internal import ArgumentParser
internal import Logging
internal import MockupService
internal import MockupStore
internal import Postgres
internal import ServiceLifecycle
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

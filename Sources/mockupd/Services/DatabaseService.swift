internal import Logging
internal import Postgres
internal import ServiceLifecycle

/// The service that runs the connection pool until the service group stops.
struct DatabaseService: ServiceLifecycle.Service, CustomStringConvertible {
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

extension Logger {
  /// Logs an event of a database connection.
  func report(_ event: PoolEvent) {
    switch event {
    case .connected(let throughPooler):
      info(
        throughPooler
          ? "connected to the database through a connection pooler" : "connected to the database")
    case .connectionFailed(let error, let retryIn):
      warning(
        "cannot connect to the database",
        metadata: ["error": "\(error.report.onOneLine)", "retry_in": "\(retryIn)"])
    case .connectionLost(let error, let retryIn):
      warning(
        "lost a connection to the database",
        metadata: ["error": "\(error.report.onOneLine)", "retry_in": "\(retryIn)"])
    case .notice(let notice):
      debug(
        "the database sent a notice",
        metadata: ["severity": "\(notice.severity)", "notice": "\(notice.message.onOneLine)"])
    }
  }
}

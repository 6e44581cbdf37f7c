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

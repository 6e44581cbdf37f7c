internal import Logging
internal import Postgres
internal import ServiceLifecycle
internal import TTRPCServices

/// Asks the database every second whether it answers, and says so to whoever asks for health: the
/// server serves only while it does.
struct DatabaseHealth: ServiceLifecycle.Service, CustomStringConvertible {
  /// How long the database may take to answer.
  static let patience: Duration = .seconds(2)
  static let interval: Duration = .seconds(1)

  let pool: Pool
  let health: HealthService
  /// The services that need the database.
  let services: [String]
  let logger: Logger

  var description: String { "database health" }

  func run() async throws {
    try? await cancelWhenGracefulShutdown {
      var wasServing: Bool?
      while !Task.isCancelled {
        let isServing = await databaseAnswers()
        // Who was interrupted has not heard the answer.
        if Task.isCancelled { break }
        if isServing != wasServing {
          logger.log(level: isServing ? .notice : .warning, isServing ? "serving" : "not serving")
          report(isServing)
          wasServing = isServing
        }
        try await Task.sleep(for: Self.interval)
      }
    }
    report(false)
  }

  private func report(_ isServing: Bool) {
    for service in services + [""] {
      health.setStatus(isServing ? .serving : .notServing, of: service)
    }
  }

  private func databaseAnswers() async -> Bool {
    await withTaskGroup(of: Bool.self) { group in
      group.addTask { (try? await pool.execute("SELECT 1", [])) != nil }
      group.addTask {
        try? await Task.sleep(for: Self.patience)
        return false
      }
      defer { group.cancelAll() }
      return await group.next() ?? false
    }
  }
}

internal import ArgumentParser
internal import FoundationEssentials
internal import MockupDatabase
internal import Postgres
internal import StandardStreams

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the settings, and with --database the database, without serving calls.",
    discussion: """
      Reads the settings as `mockupd serve` does. Exit codes: 0 success; 1 the schema of the \
      database is not this program's, or the login lacks privileges; 69 the database is \
      unavailable or read-only; 78 a setting is not valid.
      """)

  @OptionGroup var flags: SettingsFlags

  @Flag(help: "Also connect to the database, and compare its schema with this program's.")
  var database = false

  func run() async throws {
    let settings = try await Settings(flags)
    for warning in SettingKey.warnings(about: ProcessInfo.processInfo.environment.keys) {
      await StandardError.write(line: "warning: \(warning)")
    }
    let digits = String(settings.socketMode, radix: 8)
    let mode = String(repeating: "0", count: max(4 - digits.count, 0)) + digits
    try await StandardOutput.write(line: "settings: valid")
    try await StandardOutput.write(line: "socket: \(settings.socketPath) (mode \(mode))")
    try await StandardOutput.write(line: "policy: \(settings.policy)")
    guard database else { return }
    let condition = try await condition(of: settings.database)
    guard condition == .ready else { throw UnusableDatabase(condition) }
    try await StandardOutput.write(line: "database: ready")
  }

  private func condition(of database: PostgresConfiguration) async throws -> DatabaseCondition {
    var configuration = database
    configuration.applicationName += " check"
    let check = try DatabaseCheck(configuration: configuration)
    let connection = try Connection(configuration: configuration)
    connection.start()
    // A database that accepts connections but hangs does not answer the check.
    let timer = Task {
      try await Task.sleep(
        for: database.connectTimeout * database.hostCount + DatabaseMonitor.checkTimeout)
      connection.suspend(
        because: PostgresError(.connectionUnavailable, DatabaseCondition.hanging.message ?? ""))
    }
    defer { timer.cancel() }
    let condition = await check.condition(on: connection)
    await connection.close()
    return condition
  }
}

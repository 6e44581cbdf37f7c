internal import ArgumentParser
internal import MockupClient

struct ListAlerts: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the alerts of one or all users, the newest first.")

  @Argument(help: "The user's id or label. (default: all users)")
  var user: UserArgument?

  @Option(
    parsing: .unconditional,
    help: "The maximum number of alerts; 0 lists all. (default: \(Connection.defaultLimit))",
    transform: Int.atLeast(0))
  var limit: Int?

  @OptionGroup var connection: Connection

  func run() async throws {
    try await connection.run { client in
      try await connection.write(
        client.admin.alerts(of: try await user?.id(client)), limit: limit, { Record($0) },
        row: { Record(row: $0) })
    }
  }
}

internal import ArgumentParser

struct AlertsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alerts",
    abstract: "List or watch the alerts about users' credits.",
    discussion: """
      An alert says that a user's used and held credits have reached 50, 80, 90 or 100 percent of \
      the annual budget, or of the soft limit in a month.
      """,
    subcommands: [ListAlerts.self, WatchAlerts.self],
    defaultSubcommand: ListAlerts.self)
}

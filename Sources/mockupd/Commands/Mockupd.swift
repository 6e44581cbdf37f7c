internal import ArgumentParser
internal import MockupVersion
internal import StandardStreams

@main
struct Mockupd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mockupd",
    abstract: "A server that keeps the ledger of mockup credits, called over a Unix socket.",
    discussion: """
      Settings are read from flags, then from the environment, then from systemd's credentials, \
      then from the file given with --config, then from the defaults. `mockupd settings` lists \
      them.
      """,
    version: Version.text,
    subcommands: [
      Serve.self, Check.self, Migrate.self, Partitions.self, ListSettings.self, Dev.self,
    ])

  /// The time limit for writing an error, because a full pipe must not keep the program from
  /// exiting.
  private static let errorTime: Duration = .seconds(1)

  static func main() async {
    await runProgram(errorTime: errorTime)
  }
}

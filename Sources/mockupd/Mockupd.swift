internal import ArgumentParser
internal import StandardStreams

@main
struct Mockupd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mockupd",
    abstract: "Keeps the ledger of mockup credits, on a Unix socket.",
    discussion: """
      Settings come from flags, then from the environment, then from the file that --config names, \
      then from the defaults. `mockupd settings` lists them.
      """,
    version: Version.text,
    subcommands: [Serve.self, Migrate.self, ListSettings.self])

  /// How long an error may take to be written: a full pipe must not keep the program from ending.
  private static let errorTime: Duration = .seconds(1)

  static func main() async {
    await runProgram(errorTime: errorTime)
  }
}

internal import ArgumentParser

@main
struct Mockupd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mockupd",
    abstract: "Keeps the books of mockup credits, on a Unix socket.",
    discussion: """
      Settings come from flags, then from the environment, then from the file that --config names, \
      then from the defaults. `mockupd settings` lists them.
      """,
    version: Version.text,
    subcommands: [Serve.self, Migrate.self, ListSettings.self])
}

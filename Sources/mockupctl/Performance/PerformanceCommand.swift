internal import ArgumentParser

struct PerformanceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "performance", abstract: "Record the pins and impressions of mockups.",
    subcommands: [RecordPerformance.self])
}

internal import ArgumentParser
internal import StandardStreams

struct ListSettings: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings",
    abstract: "List every setting, its environment variable and its default.")

  func run() async throws {
    for key in SettingKey.allCases {
      try await StandardOutput.write(
        line: "\(key.rawValue)\n    \(key.environmentName)\n    \(key.help)")
    }
  }
}

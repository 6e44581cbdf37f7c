internal import ArgumentParser
internal import StandardStreams

struct ListSettings: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings",
    abstract: "List every setting, its environment variable and its default.")

  func run() async throws {
    for key in SettingKey.allCases {
      let definition = key.definition
      try await StandardOutput.write(
        line: """
          \(key.rawValue)
              \(key.environmentName)
              \(definition.help)\(definition.isReloadable ? "; reloaded on SIGHUP" : "")
              \(definition.type); \(definition.defaultValue.map { "default: \($0)" } ?? "required")
          """)
    }
  }
}

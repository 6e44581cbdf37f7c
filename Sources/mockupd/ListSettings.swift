internal import ArgumentParser

struct ListSettings: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings",
    abstract: "List every setting, its environment variable and its default.")

  func run() {
    for key in SettingKey.allCases {
      print("\(key.rawValue)\n    \(key.environmentName)\n    \(key.help)")
    }
  }
}

internal import ArgumentParser
internal import StandardStreams

struct ListSettings: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings",
    abstract: "List all settings with their environment variables, values and defaults.")

  @Flag(help: "Print the tables of the article Settings.")
  var markdown = false

  func run() async throws {
    var section: Substring?
    for key in SettingKey.allCases {
      let definition = key.definition
      guard markdown else {
        try await StandardOutput.write(line: key.rawValue)
        try await StandardOutput.write(line: "    \(key.environmentName)")
        try await StandardOutput.write(line: "    \(definition.description)")
        try await StandardOutput.write(
          line: "    \(definition.type); "
            + (definition.defaultValue.map { "default: \($0)" } ?? "required"))
        continue
      }
      if key.section != section {
        section = key.section
        try await StandardOutput.write(
          line: "\n## \(key.section)\n\n"
            + "| setting | default | values | meaning |\n|---|---|---|---|")
      }
      try await StandardOutput.write(
        line: "| `\(key.rawValue)` | \(definition.defaultValue ?? "required") | \(definition.type) "
          + "| \(definition.description) |")
    }
  }
}

extension SettingKey {
  /// The part of the key before the dot.
  fileprivate var section: Substring { rawValue.prefix { $0 != "." } }
}

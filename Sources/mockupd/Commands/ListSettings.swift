internal import ArgumentParser
internal import FoundationEssentials
internal import StandardStreams
internal import VisibleText

struct ListSettings: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings",
    abstract: "List all settings with their environment variables, values and defaults.",
    discussion: """
      With --effective, prints the values that `mockupd serve` would use with the same flags, \
      environment, credentials and file, and the source of each. Values that may contain a \
      password are hidden. `mockupd check` checks the values.
      """)

  @OptionGroup var flags: SettingsFlags

  @Flag(help: "Print each setting with its value and the source of the value.")
  var effective = false

  @Flag(help: "Print the tables of the article Settings.")
  var markdown = false

  func validate() throws {
    if effective, markdown {
      throw ValidationError("--effective and --markdown exclude each other")
    }
    if !effective, flags.config != nil || !flags.values.isEmpty {
      throw ValidationError("only --effective reads settings")
    }
  }

  func run() async throws {
    if effective {
      try await printEffective()
    } else if markdown {
      try await printMarkdown()
    } else {
      try await printDefinitions()
    }
  }

  private func printDefinitions() async throws {
    for key in SettingKey.allCases {
      let definition = key.definition
      try await StandardOutput.write(line: key.rawValue)
      try await StandardOutput.write(line: "    \(key.environmentName)")
      try await StandardOutput.write(line: "    \(definition.description)")
      try await StandardOutput.write(
        line: "    \(definition.type); "
          + (definition.defaultValue.map { "default: \($0)" } ?? "required"))
    }
  }

  private func printMarkdown() async throws {
    var section: Substring?
    for key in SettingKey.allCases {
      let definition = key.definition
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

  private func printEffective() async throws {
    let reader = try await SettingsReader(flags)
    for warning in SettingKey.warnings(about: ProcessInfo.processInfo.environment.keys) {
      await StandardError.write(line: "warning: \(warning)")
    }
    var rows: [(key: String, source: String, value: String)] = []
    for key in SettingKey.allCases {
      if let (value, source) = await reader.given(key) {
        let isHidden = SettingKey.secrets.contains(key)
        rows.append((key.rawValue, source, isHidden ? "(hidden)" : value.visible()))
      } else if let value = key.definition.defaultValue {
        rows.append((key.rawValue, "default", value))
      } else {
        rows.append((key.rawValue, "not set", "(required)"))
      }
    }
    func padded(_ text: String, _ column: [String]) -> String {
      let width = column.map(\.count).max() ?? 0
      return text + String(repeating: " ", count: width - text.count)
    }
    let (keys, sources) = (rows.map(\.key), rows.map(\.source))
    for row in rows {
      try await StandardOutput.write(
        line: "\(padded(row.key, keys))  \(padded(row.source, sources))  \(row.value)")
    }
  }
}

extension SettingKey {
  /// The part of the key before the dot.
  fileprivate var section: Substring { rawValue.prefix { $0 != "." } }
}

internal import ArgumentParser

/// The command-line flags for settings.
struct SettingsFlags: ParsableArguments {
  @Option(help: "A JSON file with settings.")
  var config: String?

  @Option(name: .customLong("socket"), help: "The socket's path.")
  var socketPath: String?

  @Option(parsing: .unconditional, help: "The socket's permissions, in octal.")
  var socketMode: String?

  @Option(parsing: .unconditional, help: "The socket's group, by name or number.")
  var socketGroup: String?

  @Option(help: "The database, as a URL or a libpq connection string.")
  var databaseUrl: String?

  @Option(help: "The log level: trace, debug, info, notice, warning, error or critical.")
  var logLevel: String?

  @Option(help: "The log format: text, json or journal.")
  var logFormat: String?

  /// The values of the given flags, by the keys of their settings.
  var values: [SettingKey: String] {
    let all: [SettingKey: String?] = [
      .socketPath: socketPath, .socketMode: socketMode, .socketGroup: socketGroup,
      .databaseURL: databaseUrl, .logLevel: logLevel, .logFormat: logFormat,
    ]
    return all.compactMapValues { $0 }
  }
}

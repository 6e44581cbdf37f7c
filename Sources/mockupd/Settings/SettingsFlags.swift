internal import ArgumentParser

/// The settings that have a flag of their own.
struct SettingsFlags: ParsableArguments {
  @Option(help: "A JSON file of settings.")
  var config: String?

  @Option(name: .customLong("socket"), help: "The socket's path.")
  var socketPath: String?

  @Option(parsing: .unconditional, help: "The socket's permissions, in octal.")
  var socketMode: String?

  @Option(parsing: .unconditional, help: "The socket's group, by name or number.")
  var socketGroup: String?

  @Option(help: "The database, as libpq takes it: a URL, or key=value pairs.")
  var databaseUrl: String?

  @Option(help: "trace, debug, info, notice, warning, error or critical.")
  var logLevel: String?

  @Option(help: "text or json.")
  var logFormat: String?

  /// The flags that were given, by the keys of the settings.
  var values: [SettingKey: String] {
    let all: [SettingKey: String?] = [
      .socketPath: socketPath, .socketMode: socketMode, .socketGroup: socketGroup,
      .databaseURL: databaseUrl, .logLevel: logLevel, .logFormat: logFormat,
    ]
    return all.compactMapValues { $0 }
  }
}

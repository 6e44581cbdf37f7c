internal import Configuration
internal import FoundationEssentials
internal import Postgres
internal import StandardStreams
internal import SystemPackage
internal import Systemd

/// Reads settings from the flags, the environment, the credentials and the file, in this order of
/// precedence.
///
/// Invalid values, empty ones included, are errors. A setting that is not given has its default.
struct SettingsReader {
  /// The sources to read.
  enum Sources {
    case all
    /// The flags and the defaults only.
    case flags
  }

  private let reader: ConfigReader
  /// A reader for each source, in the order of precedence.
  private let sources: [(name: String, reader: ConfigReader)]

  private typealias Provider = (name: String, provider: any ConfigProvider)

  init(_ flags: SettingsFlags, from sources: Sources = .all) async throws {
    var providers = [Self.provider(flags)]
    if sources == .all {
      providers += [
        Self.environment,
        (
          "credential",
          InMemoryProvider(name: "credentials", values: try Self.credentials())
        ),
      ]
      if let file = flags.config {
        try SettingsFile.check(file)
        do {
          providers.append(try await Self.provider(file: file))
        } catch {
          throw SettingError(file: file, "\(error)")
        }
      }
    }
    self.init(providers)
  }

  private init(_ providers: [Provider]) {
    reader = ConfigReader(providers: providers.map(\.provider))
    sources = providers.map { ($0.name, ConfigReader(providers: [$0.provider])) }
  }

  private static func provider(_ flags: SettingsFlags) -> Provider {
    let values = flags.values.map { key, value in
      (
        AbsoluteConfigKey(ConfigKey(key.rawValue)),
        ConfigValue(.string(value), isSecret: false)
      )
    }
    return (
      "flag", InMemoryProvider(name: "flags", values: Dictionary(uniqueKeysWithValues: values))
    )
  }

  private static var environment: Provider {
    ("environment", EnvironmentVariablesProvider().prefixKeys(with: "mockupd"))
  }

  private static func provider(file: String) async throws -> Provider {
    ("file", try await FileProvider<JSONSnapshot>(filePath: FilePath(file)))
  }

  /// Returns the format of the log, also if other settings are not valid.
  ///
  /// - Returns: The format; nil if it is not given or not valid, or if the file is no valid JSON.
  static func logFormat(_ flags: SettingsFlags) async -> LogFormat? {
    var providers = [provider(flags), environment]
    if let file = flags.config, (try? InputFile.read(file)) != nil {
      if let provider = try? await provider(file: file) { providers.append(provider) }
    }
    guard let word = await SettingsReader(providers).given(.logFormat)?.value else { return nil }
    return LogFormat(rawValue: word)
  }

  /// Returns the text of a setting's value, which may be invalid, and the name of its source.
  ///
  /// - Returns: The value as it was given, or nil if the setting has its default.
  func given(_ key: SettingKey) async -> (value: String, source: String)? {
    let name = ConfigKey(key.rawValue)
    for (source, reader) in sources {
      // In the file, a value may be a number or a list.
      if let text = try? await reader.fetchString(forKey: name, isSecret: true) {
        return (text, source)
      }
      if let number = try? await reader.fetchInt(forKey: name, isSecret: true) {
        return ("\(number)", source)
      }
      if let number = try? await reader.fetchDouble(forKey: name, isSecret: true) {
        return ("\(number)", source)
      }
      if let texts = try? await reader.fetchStringArray(forKey: name, isSecret: true) {
        return (texts.joined(separator: ", "), source)
      }
    }
    return nil
  }

  /// Returns the settings that the service manager passes as credentials, by their keys.
  ///
  /// - Throws: ``SettingError`` if a credential cannot be read.
  private static func credentials() throws -> [AbsoluteConfigKey: ConfigValue] {
    var values: [AbsoluteConfigKey: ConfigValue] = [:]
    do throws(SystemdError) {
      let credentials = try Credentials()
      for key in SettingKey.secrets {
        guard let text = try credentials.text(named: key.rawValue) else { continue }
        values[AbsoluteConfigKey(ConfigKey(key.rawValue))] = ConfigValue(
          .string(text), isSecret: true)
      }
    } catch {
      throw SettingError(error)
    }
    return values
  }

  /// Returns the value of an integer setting, or its default.
  func integer(_ key: SettingKey) async throws -> Int {
    guard case .integer(let range, let defaultValue) = key.definition.values else {
      preconditionFailure("\(key.rawValue) is not an integer setting")
    }
    return try await number(key, range) ?? defaultValue
  }

  /// Returns the value of an integer setting whose default follows from other settings.
  func derivedInteger(_ key: SettingKey) async throws -> Int? {
    guard case .derivedInteger(let range, _) = key.definition.values else {
      preconditionFailure("\(key.rawValue) has a default of its own")
    }
    return try await number(key, range)
  }

  /// Returns the value of a setting in seconds, or its default.
  func seconds(_ key: SettingKey) async throws -> Duration {
    .seconds(try await integer(key))
  }

  /// Returns the value of a setting in seconds, or `nil` for 0, which turns it off.
  func secondsUnlessZero(_ key: SettingKey) async throws -> Duration? {
    let seconds = try await integer(key)
    return seconds == 0 ? nil : .seconds(seconds)
  }

  private func number(_ key: SettingKey, _ range: ClosedRange<Int>) async throws -> Int? {
    try await refuseUnusable(key)
    let number: Int?
    do {
      number = try await reader.fetchInt(forKey: ConfigKey(key.rawValue))
    } catch {
      throw SettingError(key, "is not an integer")
    }
    guard let number else { return nil }
    guard range.contains(number) else {
      throw SettingError(
        key, "is \(number), not between \(range.lowerBound) and \(range.upperBound)")
    }
    return number
  }

  /// Returns the value of a text setting, or its default.
  func text(_ key: SettingKey) async throws -> String {
    guard case .text(let defaultValue) = key.definition.values else {
      preconditionFailure("\(key.rawValue) is not a text setting")
    }
    return try await value(of: key) ?? defaultValue
  }

  /// Returns one of the cases of a type, by its name.
  func choice<Choice: RawRepresentable<String>>(_ key: SettingKey) async throws -> Choice {
    guard case .choice(let words, let defaultValue) = key.definition.values else {
      preconditionFailure("\(key.rawValue) is not a choice setting")
    }
    let word = try await value(of: key) ?? defaultValue
    guard let choice = Choice(rawValue: word) else {
      throw SettingError(key, "is \"\(word)\", not one of \(words.joined(separator: ", "))")
    }
    return choice
  }

  /// Returns permissions, which are given in octal.
  func permissions(_ key: SettingKey) async throws -> UInt32 {
    guard case .permissions(let defaultValue) = key.definition.values else {
      preconditionFailure("\(key.rawValue) is not a permissions setting")
    }
    let text = try await value(of: key) ?? defaultValue
    let digits = UInt8(ascii: "0")...UInt8(ascii: "7")
    guard text.utf8.allSatisfy(digits.contains), let mode = UInt32(text, radix: 8), mode <= 0o777
    else {
      throw SettingError(key, "is \"\(text)\", not octal permissions such as 0660")
    }
    return mode
  }

  /// Returns the number of a group, which is given by its name or number.
  func group(_ key: SettingKey) async throws -> UInt32? {
    try await refuseUnusable(key)
    let text: String?
    do {
      text = try await reader.fetchString(forKey: ConfigKey(key.rawValue))
    } catch {
      // In the file, it may be a number.
      do {
        text = try await reader.fetchInt(forKey: ConfigKey(key.rawValue)).map { "\($0)" }
      } catch {
        throw SettingError(key, "is neither a string nor an integer")
      }
    }
    guard let text else { return nil }
    if let id = Self.id(text) { return id }
    do {
      if let id = try await Accounts.groupID(named: text) { return id }
    } catch let error as Accounts.Failure {
      throw SettingError(key, text, error)
    }
    throw SettingError(key, "is \"\(text)\", which is not a group on this system")
  }

  /// Returns words that are separated by commas or spaces, or a file's list of such strings.
  func words(_ key: SettingKey) async throws -> [String]? {
    try await refuseUnusable(key)
    let texts: [String]?
    do {
      texts = try await reader.fetchString(forKey: ConfigKey(key.rawValue)).map { [$0] }
    } catch {
      do {
        texts = try await reader.fetchStringArray(forKey: ConfigKey(key.rawValue))
      } catch {
        throw SettingError(key, "is neither a string nor a list of strings")
      }
    }
    if texts?.contains(where: { $0.utf8.contains(0) }) == true {
      throw SettingError(key, Self.nullCharacter)
    }
    return texts?.flatMap { text in
      text.split { $0 == "," || $0.isWhitespace }.map(String.init)
    }
  }

  /// Returns the URL or the key=value pairs of a database, which may contain a password.
  func database(_ key: SettingKey) async throws -> String? {
    guard let url = try await value(of: key, isSecret: true) else { return nil }
    // libpq would take a line break for a part of the last value. Between the pairs of the other
    // form, it is a space.
    let isURL = ["postgresql://", "postgres://"].contains(where: url.hasPrefix)
    if isURL, url.contains(where: \.isNewline) {
      throw SettingError(key, "is a URL that contains a line break")
    }
    guard PostgresConfiguration.accepts(url: url) else {
      throw SettingError(key, "is neither a URL nor a libpq connection string")
    }
    return url
  }

  private func value(of key: SettingKey, isSecret: Bool = false) async throws -> String? {
    try await refuseUnusable(key)
    do {
      return try await reader.fetchString(forKey: ConfigKey(key.rawValue), isSecret: isSecret)
    } catch {
      throw SettingError(key, "is not a string")
    }
  }

  private static let nullCharacter = "contains the character U+0000"

  /// Refuses an empty text, and one that ends early in the functions of C.
  private func refuseUnusable(_ key: SettingKey) async throws {
    // A value of another type cannot be empty.
    let text = try? await reader.fetchString(forKey: ConfigKey(key.rawValue), isSecret: true)
    if text == "" { throw SettingError(key, "is empty") }
    if text?.utf8.contains(0) == true { throw SettingError(key, Self.nullCharacter) }
  }
}

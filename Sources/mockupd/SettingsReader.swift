internal import Configuration
internal import FoundationEssentials
internal import Glibc
internal import SystemPackage

/// Finds a setting in the flags, the environment or the file, and refuses values that make no sense. An
/// empty one is a mistake everywhere: the default is what a setting has that is not given.
struct SettingsReader {
  private let reader: ConfigReader

  init(_ flags: SettingsFlags) async throws {
    var providers: [any ConfigProvider] = [
      InMemoryProvider(
        name: "flags",
        values: Dictionary(
          uniqueKeysWithValues: flags.values.map { key, value in
            (
              AbsoluteConfigKey(ConfigKey(key.rawValue)),
              ConfigValue(.string(value), isSecret: false)
            )
          })),
      EnvironmentVariablesProvider().prefixKeys(with: "mockupd"),
    ]
    if let file = flags.config {
      try SettingsFile.check(file)
      do {
        providers.append(try await FileProvider<JSONSnapshot>(filePath: FilePath(file)))
      } catch {
        throw SettingError(file: file, "\(error)")
      }
    }
    reader = ConfigReader(providers: providers)
  }

  func text(_ key: SettingKey, isSecret: Bool = false) async throws -> String? {
    try await refuseEmpty(key)
    do {
      return try await reader.fetchString(forKey: ConfigKey(key.rawValue), isSecret: isSecret)
    } catch {
      throw SettingError(key, "is no text")
    }
  }

  /// Words with commas or blanks between them, or a file's list of such.
  func words(_ key: SettingKey) async throws -> [String]? {
    try await refuseEmpty(key)
    let texts: [String]?
    do {
      texts = try await reader.fetchString(forKey: ConfigKey(key.rawValue)).map { [$0] }
    } catch {
      do {
        texts = try await reader.fetchStringArray(forKey: ConfigKey(key.rawValue))
      } catch {
        throw SettingError(key, "is neither a text nor a list of texts")
      }
    }
    return texts?.flatMap { text in
      text.split { $0 == "," || $0.isWhitespace }.map(String.init)
    }
  }

  func number(_ key: SettingKey, _ range: ClosedRange<Int>) async throws -> Int? {
    try await refuseEmpty(key)
    let number: Int?
    do {
      number = try await reader.fetchInt(forKey: ConfigKey(key.rawValue))
    } catch {
      throw SettingError(key, "is no whole number")
    }
    guard let number else { return nil }
    guard range.contains(number) else {
      throw SettingError(
        key, "is \(number), not within \(range.lowerBound) and \(range.upperBound)")
    }
    return number
  }

  private func refuseEmpty(_ key: SettingKey) async throws {
    // A value of another type is none that could be empty.
    let text = try? await reader.fetchString(forKey: ConfigKey(key.rawValue), isSecret: true)
    if text == "" { throw SettingError(key, "is empty") }
  }

  /// One of the words that a type's cases are named.
  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ key: SettingKey
  ) async throws -> Choice? {
    guard let text = try await text(key) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw SettingError(key, "is \"\(text)\", none of \(words)")
    }
    return choice
  }

  /// Permissions in octal.
  func mode(_ key: SettingKey) async throws -> UInt32? {
    guard let text = try await text(key) else { return nil }
    guard let mode = UInt32(text, radix: 8), mode <= 0o777 else {
      throw SettingError(key, "is \"\(text)\", not permissions in octal such as 0660")
    }
    return mode
  }

  /// A group's number, from its name or itself.
  func group(_ key: SettingKey) async throws -> UInt32? {
    guard let text = try await text(key) else { return nil }
    if let number = UInt32(text) { return number }
    guard let entry = unsafe getgrnam(text) else {
      throw SettingError(key, "is \"\(text)\", no group of this system")
    }
    return unsafe entry.pointee.gr_gid
  }
}

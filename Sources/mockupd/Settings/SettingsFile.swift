internal import Foundation
internal import StandardStreams

/// The validation of the settings file.
///
/// An unknown key or a value of a wrong type would otherwise be ignored.
enum SettingsFile {
  /// Checks every key and value of a settings file.
  ///
  /// - Throws: ``SettingError`` with the path of the file.
  static func check(_ path: String) throws {
    let data: Data
    do {
      data = try InputFile.read(path)
    } catch {
      throw SettingError(error)
    }
    guard let content = try? JSONDecoder().decode(Content.self, from: data) else {
      throw SettingError(file: path, "is not valid JSON")
    }
    guard case .object(let object) = content else {
      throw SettingError(file: path, "does not contain a JSON object")
    }
    try check(object, below: "", path)
  }

  private static func check(
    _ object: [String: Content], below prefix: String, _ path: String
  ) throws {
    for (name, value) in object.sorted(by: { $0.key < $1.key }) {
      let key = prefix.isEmpty ? name : "\(prefix).\(name)"
      if case .object(let inner) = value {
        try check(inner, below: key, path)
        continue
      }
      // Keys in files are nested objects, not dotted names.
      guard let setting = SettingKey(rawValue: key), !name.contains(".") else {
        throw SettingError(file: path, "\(key) is not a setting; `mockupd settings` lists them")
      }
      switch value {
      case .textOrNumber: break
      case .texts where setting.takesList: break
      default:
        let types = setting.takesList ? "a string or a list of strings" : "a string or a number"
        throw SettingError(file: path, "\(key) must be \(types)")
      }
    }
  }

  private enum Content: Decodable {
    case object([String: Content])
    case textOrNumber
    case texts
    case other

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let object = try Self.value([String: Content].self, in: container) {
        self = .object(object)
      } else if try Self.value(String.self, in: container) != nil
        || (try? container.decode(Double.self)) != nil
      {
        self = .textOrNumber
      } else if try Self.value([String].self, in: container) != nil {
        self = .texts
      } else {
        self = .other
      }
    }

    /// Returns the value if it has a type, or nil.
    ///
    /// - Throws: An error if the value has the type, but is not valid JSON. The decoder notices
    ///   only then, for example, that a string contains a control character.
    private static func value<Value: Decodable>(
      _ type: Value.Type, in container: any SingleValueDecodingContainer
    ) throws -> Value? {
      do {
        return try container.decode(type)
      } catch DecodingError.typeMismatch, DecodingError.valueNotFound {
        return nil
      }
    }
  }
}

internal import Foundation

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
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw SettingError(file: path, "cannot be read: \(error.localizedDescription)")
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
      if let object = try? container.decode([String: Content].self) {
        self = .object(object)
      } else if (try? container.decode(String.self)) != nil
        || (try? container.decode(Double.self)) != nil
      {
        self = .textOrNumber
      } else if (try? container.decode([String].self)) != nil {
        self = .texts
      } else {
        self = .other
      }
    }
  }
}

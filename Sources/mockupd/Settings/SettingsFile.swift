internal import Foundation

/// The file of settings, looked at before it is read: a key that no setting has, or a value that none
/// takes, is a mistake, and would otherwise go unnoticed.
enum SettingsFile {
  static func check(_ path: String) throws {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw SettingError(file: path, "cannot be read: \(error.localizedDescription)")
    }
    guard let content = try? JSONDecoder().decode(Content.self, from: data) else {
      throw SettingError(file: path, "is no JSON")
    }
    guard case .object(let object) = content else {
      throw SettingError(file: path, "holds no JSON object")
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
      // Of the two ways to write a key, groups and dots, files use the first.
      guard let setting = SettingKey(rawValue: key), !name.contains(".") else {
        throw SettingError(file: path, "\(key) is no setting; `mockupd settings` lists them")
      }
      switch value {
      case .textOrNumber: break
      case .texts where setting.takesList: break
      default:
        let takes = setting.takesList ? "a text nor a list of texts" : "a text nor a number"
        throw SettingError(file: path, "\(key) is neither \(takes)")
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

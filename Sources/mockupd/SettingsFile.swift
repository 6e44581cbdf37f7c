internal import Foundation

/// The file of settings, looked at before it is read: a key that no setting has is a mistake, and
/// would otherwise go unnoticed.
enum SettingsFile {
  static func check(_ path: String) throws {
    let content: Any
    do {
      content = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path)))
    } catch {
      throw SettingError(file: path, "cannot be read as JSON: \(error.localizedDescription)")
    }
    guard let object = content as? [String: Any] else {
      throw SettingError(file: path, "holds no JSON object")
    }
    let known = Set(SettingKey.allCases.map(\.rawValue))
    for key in leaves(of: object, below: "").sorted() where !known.contains(key) {
      throw SettingError(file: path, "\(key) is no setting; `mockupd settings` lists them")
    }
  }

  private static func leaves(of object: [String: Any], below prefix: String) -> [String] {
    object.flatMap { name, value in
      let key = prefix.isEmpty ? name : "\(prefix).\(name)"
      guard let inner = value as? [String: Any] else { return [key] }
      return leaves(of: inner, below: key)
    }
  }
}

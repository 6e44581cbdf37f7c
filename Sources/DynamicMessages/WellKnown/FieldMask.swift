/// The names of fields in JSON's writing and in the proto's.
enum FieldMask {
  /// - Returns: nothing, where a path is no sequence of names in lowerCamelCase.
  static func paths(_ text: String) -> [String]? {
    guard !text.isEmpty else { return [] }
    var paths: [String] = []
    for path in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard !path.isEmpty, let name = snakeCase(String(path)) else { return nil }
      paths.append(name)
    }
    return paths
  }

  /// `user_id` as `userId`.
  static func camelCase(_ name: String) -> String {
    var result = ""
    var isUpper = false
    for scalar in name.unicodeScalars {
      if scalar == "_" {
        isUpper = true
      } else {
        result += isUpper ? String(scalar).uppercased() : String(scalar)
        isUpper = false
      }
    }
    return result
  }

  /// `userId` as `user_id`; nothing, where it is not in lowerCamelCase.
  static func snakeCase(_ name: String) -> String? {
    var result = ""
    for scalar in name.unicodeScalars {
      switch scalar {
      case "A"..."Z": result += "_" + String(scalar).lowercased()
      case "a"..."z", "0"..."9", ".": result.unicodeScalars.append(scalar)
      default: return nil
      }
    }
    return result
  }
}

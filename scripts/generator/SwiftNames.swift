/// Converts names of the Protobuf style guide to names of Swift's API Design Guidelines.
enum SwiftNames {
  private static let initialisms: [String: String] = [
    "api": "API", "csv": "CSV", "http": "HTTP", "https": "HTTPS", "id": "ID", "ids": "IDs",
    "ip": "IP", "json": "JSON", "png": "PNG", "sql": "SQL", "svg": "SVG", "ttl": "TTL",
    "uri": "URI", "uris": "URIs", "url": "URL", "urls": "URLs", "uuid": "UUID", "uuids": "UUIDs",
  ]

  private static let keywords: Set<String> = [
    "associatedtype", "as", "async", "await", "break", "case", "catch", "class", "continue",
    "default", "defer", "deinit", "do", "else", "enum", "extension", "fallthrough", "false",
    "fileprivate", "for", "func", "guard", "if", "import", "in", "indirect", "init", "inout",
    "internal", "is", "let", "nil", "operator", "package", "precedencegroup", "private",
    "protocol", "public", "repeat", "rethrows", "return", "static", "struct", "subscript",
    "super", "switch", "throw", "throws", "true", "try", "typealias", "unsafe", "var", "where",
    "while",
  ]

  /// The names that a property or a case cannot have after a dot, even in backticks.
  private static let takenProperties: Set<String> = ["hashValue", "init", "self"]

  /// The names that a type cannot have, even in backticks.
  private static let takenTypes: Set<String> = ["Any", "Protocol", "Self", "Type"]

  /// Returns the name of a method or a property without backticks, as written after a dot.
  static func lowerCamel(_ name: String) -> String {
    var words = words(of: name)
    guard let first = words.first else { return "_" }
    words.removeFirst()
    let result = first + words.map(capitalized).joined()
    let safe = takenProperties.contains(result) ? result + "_" : result
    return safe.first?.isNumber == true ? "_" + safe : safe
  }

  static func upperCamel(_ name: String) -> String { words(of: name).map(capitalized).joined() }

  static func type(_ name: String) -> String {
    takenTypes.contains(name) ? name + "Message" : name
  }

  static func escaped(_ name: String) -> String { keywords.contains(name) ? "`\(name)`" : name }

  /// Returns the prefix of an enum's values in the style guide: `OPERATION_` for `Operation`.
  static func valuePrefix(enumeration name: String) -> String {
    words(of: name).joined(separator: "_").uppercased() + "_"
  }

  private static func capitalized(_ word: String) -> String {
    initialisms[word] ?? (word.prefix(1).uppercased() + word.dropFirst())
  }

  /// Returns the words, in lower case, of a name in snake case or camel case.
  private static func words(of name: String) -> [String] {
    var words: [String] = []
    var current = ""
    var afterLower = false
    for character in name {
      if character == "_" || (character.isUppercase && afterLower) {
        if !current.isEmpty { words.append(current) }
        current = ""
      }
      if character != "_" { current += character.lowercased() }
      afterLower = character.isLowercase || character.isNumber
    }
    if !current.isEmpty { words.append(current) }
    return words
  }
}

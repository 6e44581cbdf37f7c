internal import FoundationEssentials

/// A scanner that finds where the values of a JSON text begin and end, strictly by RFC 8259.
///
/// Foundation's decoders convert numbers to types that cannot represent all of them. The scanner
/// preserves the text.
struct JSONScanner {
  /// The maximum nesting depth of arrays and objects.
  static let maximumDepth = 64

  private let bytes: [UInt8]
  private var position = 0

  init(_ text: String) {
    bytes = Array(text.utf8)
  }

  /// Scans a text that is one object, and returns its members' names and values as JSON text.
  mutating func objectAlone() -> [(name: String, value: String)]? {
    skipSpace()
    guard let members = object(depth: 1) else { return nil }
    skipSpace()
    return position == bytes.count ? members : nil
  }

  /// Decodes a JSON string.
  ///
  /// - Returns: nil if it cannot be represented as text, for example half of a surrogate pair.
  static func string(_ json: String) -> String? {
    guard json.utf8.count >= 2, json.utf8.first == UInt8(ascii: "\"") else { return nil }
    guard json.utf8.contains(UInt8(ascii: "\\")) else {
      return String(json.dropFirst().dropLast())
    }
    return try? JSONDecoder().decode(String.self, from: Data(json.utf8))
  }

  /// Returns a text as a JSON string.
  static func quoted(_ text: String) -> String {
    let needsEscapes = text.utf8.contains {
      $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\")
    }
    guard needsEscapes else { return "\"" + text + "\"" }
    var json = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": json += "\\" + String(scalar)
      case "\u{0}"..<"\u{20}":
        let code = String(scalar.value, radix: 16)
        json += "\\u" + String(repeating: "0", count: 4 - code.count) + code
      default: json.unicodeScalars.append(scalar)
      }
    }
    return json + "\""
  }

  // MARK: Grammar

  private mutating func object(depth: Int) -> [(name: String, value: String)]? {
    guard depth <= Self.maximumDepth, take("{") else { return nil }
    var members: [(name: String, value: String)] = []
    skipSpace()
    if take("}") { return members }
    repeat {
      skipSpace()
      guard let name = slice({ $0.string() }) else { return nil }
      skipSpace()
      guard take(":") else { return nil }
      skipSpace()
      guard let value = slice({ $0.value(depth: depth) }) else { return nil }
      members.append((name, value))
      skipSpace()
    } while take(",")
    return take("}") ? members : nil
  }

  private mutating func array(depth: Int) -> Bool {
    guard depth <= Self.maximumDepth, take("[") else { return false }
    skipSpace()
    if take("]") { return true }
    repeat {
      skipSpace()
      guard value(depth: depth) else { return false }
      skipSpace()
    } while take(",")
    return take("]")
  }

  private mutating func value(depth: Int) -> Bool {
    switch next {
    case UInt8(ascii: "{"): object(depth: depth + 1) != nil
    case UInt8(ascii: "["): array(depth: depth + 1)
    case UInt8(ascii: "\""): string()
    case UInt8(ascii: "t"): take("true")
    case UInt8(ascii: "f"): take("false")
    case UInt8(ascii: "n"): take("null")
    default: number()
    }
  }

  private mutating func string() -> Bool {
    guard take("\"") else { return false }
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return true
      case UInt8(ascii: "\\"): guard escape() else { return false }
      case 0..<0x20: return false
      default: break
      }
    }
    return false
  }

  private mutating func escape() -> Bool {
    guard let byte = next else { return false }
    position += 1
    guard byte == UInt8(ascii: "u") else { return "\"\\/bfnrt".utf8.contains(byte) }
    for _ in 0..<4 {
      guard let digit = next, Character(UnicodeScalar(digit)).isHexDigit else { return false }
      position += 1
    }
    return true
  }

  private mutating func number() -> Bool {
    _ = take("-")
    if !take("0") {
      guard digits() else { return false }
    }
    if take("."), !digits() { return false }
    guard next == UInt8(ascii: "e") || next == UInt8(ascii: "E") else { return true }
    position += 1
    if !take("+") { _ = take("-") }
    return digits()
  }

  // MARK: Text

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ token: StaticString) -> Bool {
    let token = token.description.utf8
    guard bytes[position...].starts(with: token) else { return false }
    position += token.count
    return true
  }

  private mutating func digits() -> Bool {
    let start = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    return position > start
  }

  private mutating func skipSpace() {
    while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  private mutating func slice(_ scan: (inout JSONScanner) -> Bool) -> String? {
    let start = position
    guard scan(&self) else { return nil }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }
}

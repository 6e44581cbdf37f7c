/// Reads JSON as RFC 8259 defines it, and nothing beyond.
struct JSONParser {
  private let bytes: [UInt8]
  private var position = 0
  private let firstLine: Int
  private let firstColumn: Int

  /// - Parameters:
  ///   - line: the number of the first line, where the text is a part of another.
  ///   - column: where in that line it begins.
  init(_ bytes: [UInt8], line: Int = 1, column: Int = 1) {
    self.bytes = bytes
    firstLine = line
    firstColumn = column
  }

  mutating func document() throws(DynamicMessageError) -> JSONValue {
    skipSpace()
    let value = try value(depth: 1)
    skipSpace()
    guard position == bytes.count else { throw error("there is something behind the value") }
    return value
  }

  private mutating func value(depth: Int) throws(DynamicMessageError) -> JSONValue {
    guard depth <= DynamicMessageError.depthLimit else {
      throw error("more than \(DynamicMessageError.depthLimit) values are in one another")
    }
    switch peek {
    case nil: throw error("the text ends where a value is expected")
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws(DynamicMessageError) -> JSONValue {
    position += 1
    var members: [JSONValue.Member] = []
    // By bytes: Swift takes texts for equal that Unicode calls equivalent.
    var names: Set<[UInt8]> = []
    skipSpace()
    if take("}") { return .object([]) }
    repeat {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw error("a member's name is expected") }
      let start = position
      let name = try string()
      guard names.insert(Array(name.utf8)).inserted else {
        position = start
        throw error("the name \(JSONValue.string(name).text()) is there twice")
      }
      skipSpace()
      guard take(":") else { throw error("a colon is expected") }
      skipSpace()
      members.append(JSONValue.Member(name, try value(depth: depth + 1)))
      skipSpace()
    } while take(",")
    guard take("}") else { throw error("a comma or } is expected") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(DynamicMessageError) -> JSONValue {
    position += 1
    var elements: [JSONValue] = []
    skipSpace()
    if take("]") { return .array([]) }
    repeat {
      skipSpace()
      elements.append(try value(depth: depth + 1))
      skipSpace()
    } while take(",")
    guard take("]") else { throw error("a comma or ] is expected") }
    return .array(elements)
  }

  private mutating func word(
    _ word: StaticString, _ value: JSONValue
  ) throws(DynamicMessageError) -> JSONValue {
    let expected = Array("\(word)".utf8)
    guard bytes[position...].starts(with: expected) else { throw error("a value is expected") }
    position += expected.count
    return value
  }

  private mutating func number() throws(DynamicMessageError) -> JSONValue {
    let start = position
    _ = take("-")
    if !take("0"), skipDigits() == 0 {
      position = start
      throw error("a value is expected")
    }
    if take("."), skipDigits() == 0 { throw error("a digit is expected") }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      if skipDigits() == 0 { throw error("a digit is expected") }
    }
    return .number(String(decoding: bytes[start..<position], as: UTF8.self))
  }

  private mutating func skipDigits() -> Int {
    let start = position
    while let digit = peek, UInt8(ascii: "0")...UInt8(ascii: "9") ~= digit { position += 1 }
    return position - start
  }

  private mutating func string() throws(DynamicMessageError) -> String {
    let start = position
    position += 1
    var utf8: [UInt8] = []
    while true {
      guard let byte = peek else {
        position = start
        throw error("a string does not end")
      }
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: utf8, as: UTF8.self) else {
          position = start
          throw error("a string is not UTF-8")
        }
        return text
      case UInt8(ascii: "\\"):
        utf8.append(contentsOf: String(try escape()).utf8)
      case 0..<0x20:
        position -= 1
        throw error("a control character in a string must be escaped")
      default: utf8.append(byte)
      }
    }
  }

  private mutating func escape() throws(DynamicMessageError) -> Unicode.Scalar {
    let escape = peek
    position += 1
    switch escape {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default:
      position = min(position, bytes.count) - 1
      throw error("there is no such escape")
    }
    let unit = try hexDigits()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    // One half of a pair: the other must follow.
    guard unit < 0xDC00, take("\\"), take("u") else {
      throw error("half of a pair of surrogates stands alone")
    }
    let low = try hexDigits()
    guard 0xDC00...0xDFFF ~= low,
      let scalar = Unicode.Scalar(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
    else { throw error("half of a pair of surrogates stands alone") }
    return scalar
  }

  private mutating func hexDigits() throws(DynamicMessageError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("four hexadecimal digits are expected")
      }
      position += 1
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard let byte = peek, UInt32(byte) == character.value else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || 0x09...0x0A ~= byte || byte == 0x0D { position += 1 }
  }

  private func error(_ message: String) -> DynamicMessageError {
    let before = bytes.prefix(position)
    let line = firstLine + before.count { $0 == 0x0A }
    let column =
      before.lastIndex(of: 0x0A).map { before.count - $0 } ?? firstColumn + before.count
    return DynamicMessageError(
      code: .json, path: "", message: "line \(line), column \(column): \(message)")
  }
}

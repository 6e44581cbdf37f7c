/// Cuts a stream of bytes into JSON values that stand one behind another, or one on each line.
///
/// White space between values is optional where it is clear without it, and RFC 7464's record
/// separators count as such. Each byte is looked at once, however the stream is cut into pieces.
public struct JSONSequence: Sendable {
  private enum Value {
    case container(depth: Int, inString: Bool)
    case string
    case scalar
  }

  private let sizeLimit: Int
  private var bytes: [UInt8] = []
  private var start = 0
  private var position = 0
  private var value: Value?
  private var isEscaped = false
  private var line = 1
  /// The column in which the value, or the white space before it, begins.
  private var column = 1
  private var hasEnded = false

  /// Creates an empty sequence.
  ///
  /// - Parameter sizeLimit: The maximum size of a value, in bytes.
  public init(sizeLimit: Int = 16 << 20) {
    self.sizeLimit = sizeLimit
  }

  /// Appends bytes, which can end within a value.
  public mutating func append(_ more: some Sequence<UInt8>) {
    if start > bytes.count / 2 {
      bytes.removeFirst(start)
      position -= start
      start = 0
    }
    bytes.append(contentsOf: more)
  }

  /// Ends the sequence: no more bytes will be appended.
  public mutating func end() {
    hasEnded = true
  }

  /// Returns the next value; `nil` if more bytes are needed, or at the end.
  ///
  /// - Throws: `DynamicMessageError` for an invalid value; the next call continues after it.
  public mutating func next() throws(DynamicMessageError) -> JSONValue? {
    while position < bytes.count {
      let byte = bytes[position]
      guard let value else {
        begin(byte)
        continue
      }
      let step = Self.step(value, byte, isEscaped: &isEscaped)
      if step.takes { position += 1 }
      self.value = step.next
      if step.next == nil { return try cut() }
      guard position - start <= sizeLimit else {
        _ = try? cut()
        throw DynamicMessageError(
          code: .json, path: "", message: "a value has more than \(sizeLimit) bytes")
      }
    }
    guard hasEnded, value != nil else { return nil }
    return try cut()
  }

  /// Starts a value, or passes over what is between two.
  private mutating func begin(_ byte: UInt8) {
    start = position
    switch byte {
    case 0x09, 0x0D, 0x1E, 0x20:
      position += 1
      column += 1
    case 0x0A:
      position += 1
      line += 1
      column = 1
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      value = .container(depth: 0, inString: false)
    case UInt8(ascii: "\""):
      value = .string
      position += 1
    default: value = .scalar
    }
    if value == nil { start = position }
  }

  /// - Returns: whether the byte belongs to the value, and the value's state; none at its end.
  private static func step(
    _ value: Value, _ byte: UInt8, isEscaped: inout Bool
  ) -> (takes: Bool, next: Value?) {
    switch value {
    case .scalar:
      switch byte {
      case 0x09, 0x0A, 0x0D, 0x1E, 0x20, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""):
        return (false, nil)
      default: return (true, .scalar)
      }
    case .string: return (true, endsString(byte, &isEscaped) ? nil : .string)
    case .container(let depth, inString: true):
      return (true, .container(depth: depth, inString: !endsString(byte, &isEscaped)))
    case .container(let depth, inString: false):
      switch byte {
      case UInt8(ascii: "\""): return (true, .container(depth: depth, inString: true))
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        return (true, .container(depth: depth + 1, inString: false))
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        return (true, depth <= 1 ? nil : .container(depth: depth - 1, inString: false))
      default: return (true, value)
      }
    }
  }

  private static func endsString(_ byte: UInt8, _ isEscaped: inout Bool) -> Bool {
    if isEscaped {
      isEscaped = false
      return false
    }
    isEscaped = byte == UInt8(ascii: "\\")
    return byte == UInt8(ascii: "\"")
  }

  private mutating func cut() throws(DynamicMessageError) -> JSONValue {
    let text = Array(bytes[start..<position])
    var parser = JSONParser(text, line: line, column: column)
    start = position
    value = nil
    isEscaped = false
    line += text.count { $0 == 0x0A }
    column = text.lastIndex(of: 0x0A).map { text.count - $0 } ?? column + text.count
    return try parser.document()
  }
}

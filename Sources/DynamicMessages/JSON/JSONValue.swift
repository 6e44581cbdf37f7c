internal import VisibleText

/// A JSON value that keeps the order of its members and the digits of its numbers.
public indirect enum JSONValue: Sendable, Equatable {
  /// A member of an object.
  public struct Member: Sendable, Equatable {
    /// The unescaped name.
    public let name: String
    /// The value of the member.
    public let value: JSONValue

    /// Creates a member.
    public init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  case null
  case bool(Bool)
  /// A number in its original spelling, with all its digits.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// Parses bytes that hold one value and nothing else but white space.
  ///
  /// - Throws: a `DynamicMessageError` with line and column, for what RFC 8259 does not allow, for
  ///   a name that is twice in one object, and for more than 100 values in one another.
  public init(_ bytes: [UInt8]) throws(DynamicMessageError) {
    var parser = JSONParser(bytes)
    self = try parser.document()
  }

  /// Parses a text that holds one value.
  ///
  /// - Throws: `DynamicMessageError`, as for bytes.
  public init(_ text: String) throws(DynamicMessageError) {
    try self.init(Array(text.utf8))
  }

  /// The kind of the value, for error messages.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension JSONValue {
  /// The value as text: on one line, or with a line for each member and two spaces a level.
  public func text(pretty: Bool = false) -> String {
    var text = ""
    write(to: &text, indentation: pretty ? "\n" : nil)
    return text
  }

  /// - Parameter indentation: a line end and the spaces of the enclosing level.
  private func write(to text: inout String, indentation: String?) {
    switch self {
    case .null: text += "null"
    case .bool(let flag): text += flag ? "true" : "false"
    case .number(let digits): text += digits
    case .string(let string): text += string.jsonLiteral
    case .array(let elements):
      Self.write(elements, in: ("[", "]"), to: &text, indentation) { element, text, indentation in
        element.write(to: &text, indentation: indentation)
      }
    case .object(let members):
      Self.write(members, in: ("{", "}"), to: &text, indentation) { member, text, indentation in
        text += member.name.jsonLiteral
        text += indentation == nil ? ":" : ": "
        member.value.write(to: &text, indentation: indentation)
      }
    }
  }

  private static func write<Item>(
    _ items: [Item], in brackets: (String, String), to text: inout String, _ indentation: String?,
    _ body: (Item, inout String, String?) -> Void
  ) {
    text += brackets.0
    let inner = indentation.map { $0 + "  " }
    for (index, item) in items.enumerated() {
      if index > 0 { text += "," }
      text += inner ?? ""
      body(item, &text, inner)
    }
    if !items.isEmpty { text += indentation ?? "" }
    text += brackets.1
  }
}

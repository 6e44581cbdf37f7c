internal import VisibleText

/// A JSON value to write, which keeps the order of its members and the digits of its numbers.
indirect enum JSONValue: Equatable {
  /// A member of an object.
  struct Member: Equatable {
    let name: String
    let value: JSONValue

    init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  case null
  case bool(Bool)
  /// A number as its digits.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([Member])
}

extension JSONValue {
  /// Returns the value as text: on one line, or with a line for each member or element.
  func text(pretty: Bool = false) -> String {
    var text = ""
    write(to: &text, indentation: pretty ? "\n" : nil)
    return text
  }

  /// Returns the value as text with a line for each member or element.
  ///
  /// - Parameter indentation: A line feed and the spaces of the level of the value.
  func text(indentation: String) -> String {
    var text = ""
    write(to: &text, indentation: indentation)
    return text
  }

  /// - Parameter indentation: A line feed and the spaces of this level; `nil` for one line.
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
        text += member.name.jsonLiteral + (indentation == nil ? ":" : ": ")
        member.value.write(to: &text, indentation: indentation)
      }
    }
  }

  private static func write<Item>(
    _ items: [Item], in brackets: (String, String), to text: inout String, _ indentation: String?,
    _ writeItem: (Item, inout String, String?) -> Void
  ) {
    let inner = indentation.map { $0 + "  " }
    text += brackets.0
    for (index, item) in items.enumerated() {
      text += (index > 0 ? "," : "") + (inner ?? "")
      writeItem(item, &text, inner)
    }
    text += (items.isEmpty ? "" : indentation ?? "") + brackets.1
  }
}

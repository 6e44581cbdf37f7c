extension Unicode.Scalar {
  /// True if the character is not displayed but controls a terminal or a text viewer.
  ///
  /// These are the control characters (C0, DEL, C1), line and paragraph separators, and format
  /// characters, such as those that change the direction of text. The zero-width joiner and
  /// non-joiner are not included, because emoji and several scripts need them.
  var isHidden: Bool {
    switch value {
    case 0x20...0x7E, 0x200C, 0x200D: return false
    default: break
    }
    return switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }

  fileprivate var hexadecimal: String { String(value, radix: 16) }
}

extension String {
  /// Returns the text with each hidden character as an escape: `\n`, `\r`, `\t`, `\u{1b}`.
  ///
  /// Use it for text from a peer or a database before it is written to a terminal or a log, so that
  /// the text cannot control the terminal or forge lines. The result is for people and cannot be
  /// decoded, because a backslash in the text stays unescaped.
  ///
  /// - Parameter kept: The hidden characters that are not escaped, such as line feeds in the
  ///   program's own messages.
  public func visible(keeping kept: Set<Unicode.Scalar> = []) -> String {
    guard unicodeScalars.contains(where: \.isHidden) else { return self }
    var text = ""
    for scalar in unicodeScalars {
      switch scalar {
      case _ where !scalar.isHidden || kept.contains(scalar): text.unicodeScalars.append(scalar)
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      default: text += "\\u{\(scalar.hexadecimal)}"
      }
    }
    return text
  }

  /// The text as a JSON string literal, with quotes, in which each hidden character is escaped.
  public var jsonLiteral: String {
    var literal = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": literal += "\\\""
      case "\\": literal += "\\\\"
      case "\n": literal += "\\n"
      case "\r": literal += "\\r"
      case "\t": literal += "\\t"
      case _ where scalar.isHidden:
        for unit in String(scalar).utf16 {
          let digits = String(unit, radix: 16)
          literal += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      default: literal.unicodeScalars.append(scalar)
      }
    }
    return literal + "\""
  }
}

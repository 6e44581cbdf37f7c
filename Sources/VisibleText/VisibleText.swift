extension Unicode.Scalar {
  /// Whether a terminal or a viewer obeys, hides or breaks a line at the character instead of showing
  /// it: controls (C0, DEL, C1), line and paragraph separators, and format characters such as those
  /// that change the direction of text.
  ///
  /// The two joiners are left alone: emoji and several scripts are written with them.
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
  /// The text with each hidden character in a form that can be seen: `\n`, `\r`, `\t`, `\u{1b}`.
  ///
  /// Text from a peer or a database goes through here on its way to a terminal or a log, so that it
  /// can neither command the terminal nor forge lines. It is for reading: a backslash stays as it is.
  ///
  /// - Parameter kept: Characters to leave as they are, such as the line feeds of a text of ours.
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

  /// The text as a JSON string, in quotes, with each hidden character escaped.
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

/// Comma-separated values (RFC 4180): lines end with CR LF.
public enum CSV {
  /// A value of a record.
  public enum Value: Sendable, Hashable {
    /// A text, which may come from a user.
    case text(String)
    /// A whole number.
    case number(Int64)
    /// Another value that is not from a user, such as a time.
    case plain(String)
    /// No value.
    case nothing
  }

  /// Formats a record as a line with its line ending.
  ///
  /// A text that a spreadsheet would read as a formula, which could send the other cells to a
  /// stranger, is preceded by an apostrophe, because texts come from other users. Control
  /// characters are kept, since the line is data for programs.
  public static func line(_ values: [Value]) -> String {
    values.map(field).joined(separator: ",") + "\r\n"
  }

  private static func field(_ value: Value) -> String {
    switch value {
    case .nothing: ""
    case .number(let number): String(number)
    case .plain(let text): quoted(text)
    case .text(let text): quoted(isFormula(text) ? "'\(text)" : text)
    }
  }

  private static func isFormula(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first else { return false }
    return "=+-@\t\r".unicodeScalars.contains(first)
  }

  private static func quoted(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else {
      return text
    }
    var quoted = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" { quoted += "\"" }
      quoted.unicodeScalars.append(scalar)
    }
    return quoted + "\""
  }
}

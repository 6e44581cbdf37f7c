/// A line of comma-separated values (RFC 4180).
enum CSVLine {
  /// Parses the values of a line.
  ///
  /// White space around a value is dropped, unless it is within quotes.
  ///
  /// - Returns: `nil` if a quoted value is not closed, or is not followed by a comma or the end.
  static func values(_ line: String) -> [String]? {
    var values: [String] = []
    var rest = Substring(line)
    while true {
      rest = rest.drop(while: \.isWhitespace)
      if rest.first == "\"" {
        guard let value = quoted(&rest) else { return nil }
        values.append(value)
        rest = rest.drop(while: \.isWhitespace)
        guard rest.first == "," || rest.isEmpty else { return nil }
      } else {
        let value = rest.prefix { $0 != "," }
        values.append(String(value.trimmingSuffix(while: \.isWhitespace)))
        rest = rest.dropFirst(value.count)
      }
      guard rest.first == "," else { return values }
      rest = rest.dropFirst()
    }
  }

  /// Removes a quoted value, in which two quotes stand for one; `nil` if it is not closed.
  private static func quoted(_ rest: inout Substring) -> String? {
    var value = ""
    rest = rest.dropFirst()
    while let end = rest.firstIndex(of: "\"") {
      value += rest[..<end]
      rest = rest[rest.index(after: end)...]
      guard rest.first == "\"" else { return value }
      value += "\""
      rest = rest.dropFirst()
    }
    return nil
  }
}

extension Substring {
  fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> Substring {
    guard let last = lastIndex(where: { !isTrimmed($0) }) else { return "" }
    return self[...last]
  }
}

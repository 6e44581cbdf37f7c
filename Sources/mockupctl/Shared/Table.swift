/// Tables for people.
enum Table {
  /// Formats a record with a line for each field.
  static func text(_ record: Record) -> String {
    let width = record.fields.map(\.name.count).max() ?? 0
    return record.fields.map { name, value in
      name.padded(to: width) + "  " + value.terminalText + "\n"
    }.joined()
  }

  /// Formats records with a header and a line for each, and its note below.
  ///
  /// On a terminal, the lines fit into its width. Texts are cut with "…" as far as needed, but not
  /// below 20 characters; columns that do not fit then are left out, and named below the table.
  /// Columns come in the order of their importance. Numbers, times and ids are never cut, so that
  /// they can be copied. If a column that a record requires does not fit, each record is formatted
  /// with a line for each field.
  static func text(_ records: [Record], fitting terminal: Terminal? = nil) -> String {
    guard !records.isEmpty else { return "none\n" }
    var columns = TableColumns(records)
    if let width = terminal?.width {
      columns.fit(into: width)
      guard columns.shown.starts(with: 0..<(records.first?.requiredCount ?? 1)) else {
        return records.map { text($0) }.joined(separator: "\n")
      }
    }
    let isStyled = terminal?.hasStyles == true
    let header = columns.header
    return (isStyled ? "\u{1b}[1m\(header)\u{1b}[0m\n" : header + "\n")
      + zip(columns.lines, records).map { line, record in
        line + "\n" + (record.note?.text(fitting: terminal?.width) ?? "")
      }.joined()
      + columns.remark(fitting: terminal?.width)
  }
}

extension Record {
  /// A text below the record in a table.
  enum Note: Equatable {
    /// A command, which can be copied also if it has several lines.
    case command(String)
    /// A sentence.
    case text(String)

    /// Formats the note, indented, in lines that are not longer than a width.
    func text(fitting width: Int?) -> String {
      switch self {
      case .command(let text): Note.lines(text, continuation: " \\", width)
      case .text(let text): Note.lines(text, continuation: "", width)
      }
    }

    /// Breaks a text at its spaces.
    static func lines(_ text: String, continuation: String, _ width: Int?) -> String {
      var lines = ["  " + text]
      if let width {
        while let last = lines.last, last.count > width,
          let end = breakingPoint(of: last, within: width - continuation.count)
        {
          lines[lines.count - 1] = last[..<end] + continuation
          lines.append("    " + last[last.index(after: end)...])
        }
      }
      return lines.map { $0 + "\n" }.joined()
    }

    /// Returns the last space after a word that ends within a width, or else the first one; `nil`
    /// if there is none.
    private static func breakingPoint(of line: String, within width: Int) -> String.Index? {
      let start = line.firstIndex { $0 != " " } ?? line.endIndex
      let spaces = line[start...].indices.filter { line[$0] == " " }
      return spaces.last { line.distance(from: line.startIndex, to: $0) <= width } ?? spaces.first
    }
  }
}

extension String {
  /// Returns the text, cut to a width with "…" as its last character.
  func cut(to width: Int) -> String {
    count > width ? prefix(width - 1) + "…" : self
  }

  /// Returns the text with spaces up to a width.
  func padded(to width: Int, left: Bool = false) -> String {
    let padding = String(repeating: " ", count: max(width - count, 0))
    return left ? padding + self : self + padding
  }

  /// Returns the text without a character at its end.
  func trimmingSuffix(_ character: Character) -> String {
    var text = self[...]
    while text.last == character { text.removeLast() }
    return String(text)
  }
}

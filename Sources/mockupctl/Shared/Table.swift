/// Tables for people.
enum Table {
  /// The minimum width of a column that is shortened.
  private static let minimumWidth = 8

  /// Formats a record with a line for each field.
  static func text(_ record: Record) -> String {
    let width = record.fields.map(\.name.count).max() ?? 0
    return record.fields.map { name, value in
      name.padded(to: width) + "  " + value.terminalText + "\n"
    }.joined()
  }

  /// Formats records with a header and a line for each, and its note below.
  ///
  /// On a terminal, texts are cut with "…" as far as needed to fit the lines into its width.
  /// Numbers, times and ids are never cut, so that they can be copied.
  static func text(_ records: [Record], fitting terminal: Terminal? = nil) -> String {
    guard let first = records.first else { return "none\n" }
    let rows = records.map { $0.fields.map(\.value.terminalText) }
    var widths = first.fields.indices.map { column in
      max(rows.map { $0[column].count }.max() ?? 0, first.fields[column].name.count)
    }
    if let available = terminal?.width { shorten(&widths, of: records, to: available) }

    func line(_ cells: [String]) -> String {
      let padded = zip(zip(cells, widths), first.fields).map { cell, field in
        cell.0.cut(to: cell.1).padded(to: cell.1, left: field.value.isNumber)
      }
      return padded.joined(separator: "  ").trimmingSuffix(" ")
    }
    let header = line(first.fields.map(\.name))
    let isStyled = terminal?.hasStyles == true
    return (isStyled ? "\u{1b}[1m\(header)\u{1b}[0m\n" : header + "\n")
      + zip(rows, records).map { row, record in
        line(row) + "\n" + (record.note.map { "  \($0)\n" } ?? "")
      }.joined()
  }

  /// Reduces the widths of columns of texts, the widest first.
  private static func shorten(_ widths: inout [Int], of records: [Record], to available: Int) {
    let texts = widths.indices.filter { column in
      records.allSatisfy { $0.fields[column].value.canBeCut }
    }
    while true {
      let excess = widths.reduce(0, +) + 2 * (widths.count - 1) - available
      guard excess > 0, let widest = texts.max(by: { widths[$0] < widths[$1] }),
        widths[widest] > minimumWidth
      else { return }
      // The widest column is reduced to the width of the next one at most, so that equal columns
      // share the loss.
      let next = texts.filter { $0 != widest }.map { widths[$0] }.max() ?? 0
      let target = max(widths[widest] - excess, minimumWidth, min(next, widths[widest] - 1))
      widths[widest] = target
    }
  }
}

extension String {
  fileprivate func cut(to width: Int) -> String {
    count > width ? prefix(width - 1) + "…" : self
  }

  fileprivate func padded(to width: Int, left: Bool = false) -> String {
    let padding = String(repeating: " ", count: max(width - count, 0))
    return left ? padding + self : self + padding
  }

  fileprivate func trimmingSuffix(_ character: Character) -> String {
    var text = self[...]
    while text.last == character { text.removeLast() }
    return String(text)
  }
}

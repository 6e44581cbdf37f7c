extension OutputFormat {
  static func table(_ record: Record) -> String {
    let width = record.fields.map(\.name.count).max() ?? 0
    return record.fields.map { name, value in
      name.padded(to: width) + "  " + value.terminalText + "\n"
    }.joined()
  }

  static func table(_ records: [Record]) -> String {
    guard let first = records.first else { return "none\n" }
    let rows = records.map { $0.fields.map(\.value.terminalText) }
    let widths = first.fields.indices.map { column in
      max(rows.map { $0[column].count }.max() ?? 0, first.fields[column].name.count)
    }
    return ([first.fields.map(\.name)] + rows).map { row in
      let cells = zip(zip(row, widths), first.fields).map { cell, field in
        cell.0.padded(to: cell.1, left: field.value.isNumber)
      }
      return cells.joined(separator: "  ").trimmingSuffix(" ") + "\n"
    }.joined()
  }
}

extension String {
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

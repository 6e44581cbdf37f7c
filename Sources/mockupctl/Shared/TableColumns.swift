/// The columns of a table, and those of them that fit into a terminal.
struct TableColumns {
  /// The width to which a text may be cut before a column is left out.
  private static let minimumTextWidth = 20
  /// The spaces between columns.
  private static let gap = 2

  private let names: [String]
  private let rows: [[String]]
  private let areNumbers: [Bool]
  private let canBeCut: [Bool]
  private var widths: [Int]

  /// The indices of the columns that are shown.
  private(set) var shown: [Int]

  /// Creates the columns of records, which have the same fields.
  init(_ records: [Record]) {
    let fields = records.first?.fields ?? []
    names = fields.map(\.name)
    rows = records.map { $0.fields.map(\.value.terminalText) }
    areNumbers = fields.map(\.value.isNumber)
    canBeCut = fields.indices.map { column in
      records.allSatisfy { $0.fields[column].value.canBeCut }
    }
    let rows = rows
    widths = fields.indices.map { column in
      max(rows.map { $0[column].count }.max() ?? 0, fields[column].name.count)
    }
    shown = Array(fields.indices)
  }

  /// The names of the columns.
  var header: String { line(names) }

  /// A line for each record.
  var lines: [String] { rows.map(line) }

  /// Returns the names of the columns that are left out, in lines that are not longer than a width;
  /// empty if all are shown.
  func remark(fitting width: Int?) -> String {
    let hidden = names.indices.filter { !shown.contains($0) }.map { names[$0] }
    guard !hidden.isEmpty else { return "" }
    let list = hidden.joined(separator: ", ")
    return Record.Note.text("not shown: \(list) (widen the terminal, or use --output)")
      .text(fitting: width)
  }

  /// Leaves out columns, and reduces the widths of texts, so that lines fit into a width.
  ///
  /// A column that does not fit does not prevent that narrower ones after it are shown.
  mutating func fit(into available: Int) {
    var width = 0
    shown = []
    for column in names.indices {
      let least = canBeCut[column] ? min(widths[column], Self.minimumTextWidth) : widths[column]
      guard shown.isEmpty || width + Self.gap + least <= available else { continue }
      width += (shown.isEmpty ? 0 : Self.gap) + least
      shown.append(column)
    }
    shortenTexts(to: available)
  }

  /// Reduces the widths of the columns of texts, the widest first.
  private mutating func shortenTexts(to available: Int) {
    let texts = shown.filter { canBeCut[$0] }
    while true {
      let width = shown.reduce(0) { $0 + widths[$1] } + Self.gap * (shown.count - 1)
      guard width > available, let widest = texts.max(by: { widths[$0] < widths[$1] }),
        widths[widest] > Self.minimumTextWidth
      else { return }
      // The widest column is reduced to the width of the next one at most, so that equal columns
      // share the loss.
      let next = texts.filter { $0 != widest }.map { widths[$0] }.max() ?? 0
      widths[widest] = max(
        widths[widest] - (width - available), Self.minimumTextWidth,
        min(next, widths[widest] - 1))
    }
  }

  private func line(_ cells: [String]) -> String {
    shown.map { column in
      cells[column].cut(to: widths[column]).padded(to: widths[column], left: areNumbers[column])
    }.joined(separator: String(repeating: " ", count: Self.gap)).trimmingSuffix(" ")
  }
}

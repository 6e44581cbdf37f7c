internal import MockupPages
internal import StandardStreams

/// A list on standard output.
///
/// In the formats for programs, the records are written as they arrive. A table is written at the
/// end, since the width of a column depends on all of its cells. An error that ends the list early
/// must not hide the records before it: see ``finishAfterError()``.
struct ListWriter {
  private let format: OutputFormat
  /// The records that were not written yet.
  private var records: [Record] = []
  private var columns: Record?
  private var hasBegun = false
  private var isEmpty = true

  /// Creates a list.
  ///
  /// - Parameters:
  ///   - columns: A record with the columns of a list without records.
  ///   - isContinued: True if the output is added to that of an earlier list. CSV then has no
  ///     header.
  init(_ format: OutputFormat, columns: Record?, isContinued: Bool = false) {
    self.format = format
    self.columns = columns
    hasBegun = isContinued && format == .csv
  }

  /// Adds records to the list.
  mutating func write(_ new: [Record]) async throws(CommandError) {
    guard let first = new.first else { return }
    columns = first
    defer { isEmpty = false }
    switch format {
    case .table: records += new
    case .json:
      let start = isEmpty ? "[\n  " : ",\n  "
      let objects = new.map { $0.json.text(indentation: "\n  ") }
      try await StandardOutput.write(start + objects.joined(separator: ",\n  "))
    case .jsonl, .csv:
      try await StandardOutput.write(header() + new.map { format.line($0) }.joined())
    }
  }

  /// Ends the list.
  mutating func finish() async throws(CommandError) {
    switch format {
    case .table: try await StandardOutput.write(Table.text(records, fitting: Terminal.output))
    case .json: try await StandardOutput.write(isEmpty ? "[]\n" : "\n]\n")
    case .jsonl: break
    case .csv: try await StandardOutput.write(header())
    }
  }

  /// Ends the list after an error, so that the output is valid and has all records so far.
  ///
  /// Nothing is written if there are none, except the header of CSV.
  mutating func finishAfterError() async throws(CommandError) {
    if !isEmpty || format == .csv { try await finish() }
  }

  /// Returns the header of CSV once, and an empty text afterwards and in other formats.
  private mutating func header() -> String {
    guard format == .csv, !hasBegun, let columns else { return "" }
    hasBegun = true
    return CSV.line(columns.fields.map { .plain($0.name) })
  }
}

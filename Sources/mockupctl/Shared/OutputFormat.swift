internal import ArgumentParser
internal import MockupPages
internal import StandardStreams

/// The format of the output.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table
  case json
  case jsonl
  case csv

  /// The description of the option.
  static let help: ArgumentHelp = """
    The output format: a table for people; JSON, a JSON object on each line, or comma-separated \
    values for programs.
    """
}

extension OutputFormat {
  /// Writes a record: a line for each field, an object, or a CSV header and line.
  func write(_ record: Record) async throws(CommandError) {
    switch self {
    case .table: try await StandardOutput.write(Table.text(record))
    case .json: try await StandardOutput.write(line: record.json.text(pretty: true))
    case .jsonl, .csv: try await write([record])
    }
  }

  /// Writes a complete list; see ``ListWriter``.
  func write(_ records: [Record], columns: Record? = nil) async throws(CommandError) {
    var writer = ListWriter(self, columns: columns)
    try await writer.write(records)
    try await writer.finish()
  }

  /// Writes a list and its summary: a table with the summary below, or an object with both.
  ///
  /// The formats with a record on each line have no summary.
  ///
  /// - Parameters:
  ///   - name: The member of the list in the object.
  ///   - columns: A record with the columns of a list without records.
  ///   - summaryName: The member of the summary; if it is `nil`, the fields of the summary are
  ///     members beside the list.
  func write(
    _ records: [Record], named name: String, columns: Record, below summary: Record,
    named summaryName: String? = nil
  ) async throws(CommandError) {
    switch self {
    case .table:
      let table =
        records.isEmpty ? "" : Table.text(records, fitting: Terminal.output) + "\n"
      try await StandardOutput.write(table + Table.text(summary))
    case .json:
      let list = JSONValue.Member(name, .array(records.map(\.json)))
      let others = summaryName.map { [JSONValue.Member($0, summary.json)] } ?? summary.members
      try await StandardOutput.write(
        line: JSONValue.object([list] + others).text(pretty: true))
    case .jsonl, .csv: try await write(records, columns: columns)
    }
  }

  /// Formats a record of a stream as a line with its end: its values, or an object.
  func line(_ record: Record) -> String {
    switch self {
    case .table: record.fields.map(\.value.terminalText).joined(separator: "  ") + "\n"
    case .json, .jsonl: record.json.text() + "\n"
    case .csv: CSV.line(record.fields.map(\.value.csv))
    }
  }
}

internal import ArgumentParser
internal import StandardStreams

/// The format of the output.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table
  case json
}

extension OutputFormat {
  /// Writes a record: a line for each field, or an object.
  func write(_ record: Record) async throws(CommandError) {
    switch self {
    case .table: try await StandardOutput.write(Self.table(record))
    case .json: try await Self.write(record.json)
    }
  }

  /// Writes a list: a header and a line for each record, or an array.
  func write(_ records: [Record]) async throws(CommandError) {
    switch self {
    case .table: try await StandardOutput.write(Self.table(records))
    case .json: try await Self.write(.array(records.map(\.json)))
    }
  }

  /// Writes a list and its summary: a table with the summary below, or an object with both.
  ///
  /// - Parameters:
  ///   - name: The member of the list in the object.
  ///   - summaryName: The member of the summary; if it is `nil`, the fields of the summary are
  ///     members beside the list.
  func write(
    _ records: [Record], named name: String, below summary: Record, named summaryName: String? = nil
  ) async throws(CommandError) {
    switch self {
    case .table:
      let table = records.isEmpty ? "" : Self.table(records) + "\n"
      try await StandardOutput.write(table + Self.table(summary))
    case .json:
      let list = JSONValue.Member(name, .array(records.map(\.json)))
      let others = summaryName.map { [JSONValue.Member($0, summary.json)] } ?? summary.members
      try await Self.write(.object([list] + others))
    }
  }

  /// Formats a record of a stream as a line: its values, or an object.
  func line(_ record: Record) -> String {
    switch self {
    case .table: record.fields.map(\.value.terminalText).joined(separator: "  ")
    case .json: record.json.text()
    }
  }

  private static func write(_ value: JSONValue) async throws(CommandError) {
    try await StandardOutput.write(line: value.text(pretty: true))
  }
}

internal import ArgumentParser
internal import DynamicMessages
internal import MockupClient
internal import StandardStreams
internal import VisibleText

/// The format of the output.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table
  case json
}

/// A result as names and values, in the order in which they are shown.
struct Record {
  enum Value {
    case text(String)
    case number(Int64)
    case decimal(Double)
    case flag(Bool)
    case time(Timestamp)
    case nothing
  }

  var fields: [(name: String, value: Value)]

  init(_ fields: KeyValuePairs<String, Value>) {
    self.fields = fields.map { (name: $0.key, value: $0.value) }
  }
}

extension Record.Value {
  /// Returns a text, or nothing if it is empty.
  static func id(_ text: String) -> Record.Value { text.isEmpty ? .nothing : .text(text) }

  static func number(_ number: Int32) -> Record.Value { .number(Int64(number)) }

  /// Returns a number, or nothing if it is `nil`.
  static func real(_ number: Double?) -> Record.Value { number.map { .decimal($0) } ?? .nothing }

  static func time(_ time: Timestamp?) -> Record.Value { time.map { .time($0) } ?? .nothing }

  /// The value for a terminal.
  ///
  /// Control characters are escaped, since texts can come from other users.
  var forPeople: String {
    switch self {
    case .text(let text): text.visible()
    case .flag(let flag): flag ? "yes" : "no"
    case .nothing: "-"
    case .number, .decimal, .time: plain
    }
  }

  /// The value as text for programs.
  var plain: String {
    switch self {
    case .text(let text): text
    case .number(let number): String(number)
    case .decimal(let number): Int64(exactly: number).map { String($0) } ?? String(number)
    case .flag(let flag): String(flag)
    case .time(let time):
      String(timestampSeconds: time.seconds, nanoseconds: time.nanos) ?? "\(time.seconds) s"
    case .nothing: ""
    }
  }

  var json: JSONValue {
    switch self {
    case .number: .number(plain)
    case .decimal(let number): number.isFinite ? .number(plain) : .string(plain)
    case .flag(let flag): .bool(flag)
    case .text, .time: .string(plain)
    case .nothing: .null
    }
  }

  var isNumber: Bool {
    switch self {
    case .number, .decimal: true
    case .text, .flag, .time, .nothing: false
    }
  }
}

extension Record {
  /// The record as a JSON object.
  var json: JSONValue { .object(members) }

  fileprivate var members: [JSONValue.Member] { fields.map { .init($0.name, $0.value.json) } }
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
    case .table: record.fields.map(\.value.forPeople).joined(separator: "  ")
    case .json: record.json.text()
    }
  }

  private static func write(_ value: JSONValue) async throws(CommandError) {
    try await StandardOutput.write(line: value.text(pretty: true))
  }

  static func table(_ record: Record) -> String {
    let width = record.fields.map(\.name.count).max() ?? 0
    return record.fields.map { name, value in
      name.padded(to: width) + "  " + value.forPeople + "\n"
    }.joined()
  }

  static func table(_ records: [Record]) -> String {
    guard let first = records.first else { return "none\n" }
    let rows = records.map { $0.fields.map(\.value.forPeople) }
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

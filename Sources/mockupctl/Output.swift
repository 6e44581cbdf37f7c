internal import ArgumentParser
internal import Foundation

/// How answers are written to standard output.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table
  case json
}

/// An answer as names and values, in the order in which people want them.
struct Record {
  enum Value {
    case text(String)
    case number(Int64)
    case decimal(Double)
    case flag(Bool)
    case time(Date)
    case nothing
  }

  var fields: [(name: String, value: Value)]

  init(_ fields: KeyValuePairs<String, Value>) {
    self.fields = fields.map { (name: $0.key, value: $0.value) }
  }
}

extension Record.Value {
  /// A text, or nothing where it is empty.
  static func id(_ text: String) -> Record.Value { text.isEmpty ? .nothing : .text(text) }

  static func number(_ number: Int32) -> Record.Value { .number(Int64(number)) }

  /// A number, or nothing.
  static func real(_ number: Double?) -> Record.Value { number.map { .decimal($0) } ?? .nothing }

  static func time(_ date: Date?) -> Record.Value { date.map { .time($0) } ?? .nothing }

  var forPeople: String {
    switch self {
    case .text(let text): text
    case .number(let number): String(number)
    case .decimal(let number): Int64(exactly: number).map { String($0) } ?? String(number)
    case .flag(let flag): flag ? "yes" : "no"
    case .time(let date): date.formatted(.iso8601)
    case .nothing: "-"
    }
  }

  var forPrograms: Any {
    switch self {
    case .text(let text): text
    case .number(let number): number
    case .decimal(let number): number
    case .flag(let flag): flag
    case .time(let date): date.formatted(.iso8601.time(includingFractionalSeconds: true))
    case .nothing: NSNull()
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
  /// As a JSON object.
  var object: [String: Any] {
    Dictionary(
      fields.map { ($0.name, $0.value.forPrograms) }, uniquingKeysWith: { first, _ in first })
  }
}

extension OutputFormat {
  /// Writes one answer: a line for each of its fields, or an object.
  func write(_ record: Record) throws {
    switch self {
    case .table:
      let width = record.fields.map(\.name.count).max() ?? 0
      for (name, value) in record.fields {
        print(name.padded(to: width) + "  " + value.forPeople)
      }
    case .json:
      try writeJSON(record.object)
    }
  }

  /// One answer of a stream, in a line of its own: its values, or an object.
  func line(_ record: Record) throws -> String {
    switch self {
    case .table:
      return record.fields.map(\.value.forPeople).joined(separator: "  ")
    case .json:
      return try json(record.object, [.sortedKeys, .withoutEscapingSlashes])
    }
  }

  /// Writes a list: a line for each answer below a line of names, or an array.
  func write(_ records: [Record]) throws {
    switch self {
    case .table:
      guard let first = records.first else {
        print("none")
        return
      }
      let columns = first.fields.indices.map { column in
        let width = records.map { $0.fields[column].value.forPeople.count }.max() ?? 0
        return max(width, first.fields[column].name.count)
      }
      print(line(first.fields.map { ($0.name, $0.value.isNumber) }, columns))
      for record in records {
        print(line(record.fields.map { ($0.value.forPeople, $0.value.isNumber) }, columns))
      }
    case .json:
      try writeJSON(records.map(\.object))
    }
  }

  private func line(_ cells: [(text: String, isNumber: Bool)], _ widths: [Int]) -> String {
    let padded = zip(cells, widths).map { cell, width in
      cell.isNumber ? cell.text.padded(to: width, left: true) : cell.text.padded(to: width)
    }
    return padded.joined(separator: "  ").trimmingSuffix(" ")
  }

  private func writeJSON(_ value: Any) throws {
    print(try json(value, [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]))
  }

  private func json(_ value: Any, _ options: JSONSerialization.WritingOptions) throws -> String {
    String(
      decoding: try JSONSerialization.data(withJSONObject: value, options: options), as: UTF8.self)
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

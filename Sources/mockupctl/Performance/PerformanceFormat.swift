internal import FoundationEssentials
internal import MockupClient
internal import VisibleText

/// The format of the lines: JSON objects, or CSV with known columns.
enum PerformanceFormat {
  /// The reason why a line is invalid.
  struct ParseError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
      self.description = description
    }
  }

  fileprivate enum Field: String, CaseIterable {
    case userID = "user_id"
    case mockupID = "mockup_id"
    case pins
    case impressions

    /// Finds the field with a name.
    init(name: String) throws(ParseError) {
      guard let field = Field(rawValue: name) else {
        let names = Field.allCases.map(\.rawValue).joined(separator: ", ")
        throw ParseError("unknown field \"\(name.prefix(80))\"; the fields are \(names)")
      }
      self = field
    }
  }

  /// A value of a line.
  fileprivate enum Value: Decodable {
    case string(String)
    /// A number as its digits.
    case number(String)
    case other

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        self = .string(text)
      } else if let number = try? container.decode(Int64.self) {
        self = .number(String(number))
      } else if let number = try? container.decode(Double.self) {
        self = .number(String(number))
      } else {
        self = .other
      }
    }

    /// The value for error messages.
    var description: String {
      switch self {
      case .string(let text): "\(text.jsonLiteral.prefix(80))"
      case .number(let digits): digits
      case .other: "a value of another type"
      }
    }
  }

  case json
  /// CSV, with the fields of its columns.
  case columns([Column])

  struct Column {
    fileprivate let field: Field
  }

  /// Decides the format by the first line, and parses the header of CSV.
  init(firstLine line: String) throws(ParseError) {
    if Self.isObject(line) {
      self = .json
      return
    }
    let names = try Self.values(line)
    let known = names.filter { Field(rawValue: $0) != nil }
    guard !known.isEmpty else {
      throw ParseError(
        "expected a JSON object or a header with user_id, mockup_id, pins and impressions, "
          + "not \"\(line.prefix(80))\"")
    }
    var columns: [Column] = []
    for name in names {
      let field = try Field(name: name)
      guard !columns.contains(where: { $0.field == field }) else {
        throw ParseError("the header has the column \(name) twice")
      }
      columns.append(Column(field: field))
    }
    for field in Field.allCases where !columns.contains(where: { $0.field == field }) {
      throw ParseError("the header lacks the column \(field.rawValue)")
    }
    self = .columns(columns)
  }

  /// Parses the entry on a line.
  func entry(_ line: String) throws(ParseError) -> PerformanceEntry {
    var entry = PerformanceEntry()
    switch self {
    case .json:
      guard Self.isObject(line) else {
        throw ParseError("expected a JSON object, as on the first line, not \"\(line.prefix(80))\"")
      }
      var given: Set<Field> = []
      for (name, value) in try Self.members(line) {
        let field = try Field(name: name)
        try Self.set(field, of: &entry, to: value)
        given.insert(field)
      }
      for field in [Field.userID, .mockupID] where !given.contains(field) {
        throw ParseError("\(field.rawValue) is missing")
      }
      guard given.contains(.pins) || given.contains(.impressions) else {
        throw ParseError("pins and impressions are missing")
      }
    case .columns(let columns):
      let values = try Self.values(line)
      guard values.count == columns.count else {
        throw ParseError("expected \(columns.count) values, found \(values.count)")
      }
      for (column, value) in zip(columns, values) {
        let isText = column.field == .userID || column.field == .mockupID
        try Self.set(column.field, of: &entry, to: isText ? .string(value) : .number(value))
      }
    }
    return entry
  }

  private static func set(
    _ field: Field, of entry: inout PerformanceEntry, to value: Value
  ) throws(ParseError) {
    switch (field, value) {
    case (.userID, .string(let text)): entry.userID = text
    case (.mockupID, .string(let text)): entry.mockupID = text
    case (.pins, .number(let digits)): entry.pins = try count(digits, field)
    case (.impressions, .number(let digits)): entry.impressions = try count(digits, field)
    case (.userID, _), (.mockupID, _):
      throw ParseError("\(field.rawValue) must be a string, not \(value.description)")
    case (.pins, _), (.impressions, _):
      throw ParseError("\(field.rawValue) must be a number, not \(value.description)")
    }
  }

  private static func count(_ digits: String, _ field: Field) throws(ParseError) -> Int32 {
    guard let count = Int32(digits), count >= 0 else {
      throw ParseError(
        "\(field.rawValue) must be a whole number from 0 to \(Int32.max), "
          + "not \"\(digits.prefix(80))\"")
    }
    return count
  }

  private static func isObject(_ line: String) -> Bool {
    line.first { !$0.isWhitespace } == "{"
  }

  /// Parses a JSON object, and returns its members sorted by name.
  private static func members(
    _ line: String
  ) throws(ParseError) -> [(name: String, value: Value)] {
    do {
      let members = try JSONDecoder().decode([String: Value].self, from: Data(line.utf8))
      return members.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    } catch {
      throw ParseError("not valid JSON")
    }
  }

  private static func values(_ line: String) throws(ParseError) -> [String] {
    guard let values = CSVLine.values(line) else {
      throw ParseError("a quoted value is not closed, or is not followed by a comma")
    }
    return values
  }
}

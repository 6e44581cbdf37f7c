internal import DynamicMessages
internal import MockupClient
internal import StandardStreams

/// Entries of performance, one on each line. Empty lines are skipped.
///
/// The first line decides the form: a JSON object, as every further line then is; or the names of the
/// columns of comma-separated values, in any order.
struct PerformanceLines<Pieces: AsyncSequence & Sendable>: AsyncSequence, Sendable
where Pieces.Element == [UInt8] {
  struct Element: Sendable, Equatable {
    var number: Int
    var entry: PerformanceEntry
  }
  typealias Failure = any Error

  /// The longest line, in bytes.
  fileprivate static var maxLineBytes: Int { 4096 }

  let pieces: Pieces

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(pieces: pieces.makeAsyncIterator())
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate var pieces: Pieces.AsyncIterator
    private var rest: ArraySlice<UInt8> = []
    private var hasEnded = false
    private var number = 0
    private var form: PerformanceForm?

    fileprivate init(pieces: Pieces.AsyncIterator) {
      self.pieces = pieces
    }

    /// - Throws: `CommandError` for a line that is no entry, with its number; what the pieces throw.
    mutating func next() async throws -> Element? {
      while let line = try await nextLine() {
        number += 1
        let text = String(decoding: line, as: UTF8.self)
        if text.allSatisfy(\.isWhitespace) { continue }
        do throws(PerformanceForm.Mistake) {
          if let form {
            return Element(number: number, entry: try form.entry(text))
          }
          let form = try PerformanceForm(firstLine: text)
          self.form = form
          if case .json = form { return Element(number: number, entry: try form.entry(text)) }
        } catch {
          throw CommandError(
            "line \(number) of standard input: \(error.description)",
            exitCode: CommandError.usage)
        }
      }
      return nil
    }

    private mutating func nextLine() async throws -> ArraySlice<UInt8>? {
      while true {
        if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
          defer { rest = rest[(end + 1)...] }
          return rest[..<end].last == UInt8(ascii: "\r") ? rest[..<end].dropLast() : rest[..<end]
        }
        guard rest.count <= PerformanceLines.maxLineBytes else {
          throw CommandError(
            "line \(number + 1) of standard input: it has more than "
              + "\(PerformanceLines.maxLineBytes) bytes",
            exitCode: CommandError.usage)
        }
        guard !hasEnded, let piece = try await pieces.next(isolation: #isolation) else {
          hasEnded = true
          defer { rest = [] }
          return rest.isEmpty ? nil : rest
        }
        rest = rest + piece
      }
    }
  }
}

/// How entries are written on lines.
enum PerformanceForm {
  /// The error of a line.
  struct Mistake: Error, CustomStringConvertible {
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

    /// The field of a name that a user wrote.
    init(name: String) throws(Mistake) {
      guard let field = Field(rawValue: name) else {
        let names = Field.allCases.map(\.rawValue).joined(separator: ", ")
        throw Mistake("unknown field \"\(name.prefix(80))\"; the fields are \(names)")
      }
      self = field
    }
  }

  case json
  /// The fields of the columns, in their order.
  case columns([Column])

  struct Column {
    fileprivate let field: Field
  }

  /// Reads the names of the columns, unless the line is an object.
  init(firstLine line: String) throws(Mistake) {
    if Self.isObject(line) {
      self = .json
      return
    }
    let names = try Self.values(line)
    let known = names.filter { Field(rawValue: $0) != nil }
    guard !known.isEmpty else {
      throw Mistake(
        "a JSON object or a header with user_id, mockup_id, pins and impressions is expected, "
          + "not \"\(line.prefix(80))\"")
    }
    var columns: [Column] = []
    for name in names {
      let field = try Field(name: name)
      guard !columns.contains(where: { $0.field == field }) else {
        throw Mistake("the header has the column \(name) twice")
      }
      columns.append(Column(field: field))
    }
    for field in Field.allCases where !columns.contains(where: { $0.field == field }) {
      throw Mistake("the header lacks the column \(field.rawValue)")
    }
    self = .columns(columns)
  }

  /// Reads the entry on a line.
  func entry(_ line: String) throws(Mistake) -> PerformanceEntry {
    var entry = PerformanceEntry()
    switch self {
    case .json:
      guard Self.isObject(line) else {
        throw Mistake("a JSON object is expected, as on the first line, not \"\(line.prefix(80))\"")
      }
      var given: Set<Field> = []
      for member in try Self.members(line) {
        let field = try Field(name: member.name)
        try Self.set(field, of: &entry, to: member.value)
        given.insert(field)
      }
      for field in [Field.userID, .mockupID] where !given.contains(field) {
        throw Mistake("\(field.rawValue) is missing")
      }
      guard given.contains(.pins) || given.contains(.impressions) else {
        throw Mistake("pins and impressions are missing")
      }
    case .columns(let columns):
      let values = try Self.values(line)
      guard values.count == columns.count else {
        throw Mistake("\(values.count) values for \(columns.count) columns")
      }
      for (column, value) in zip(columns, values) {
        let isText = column.field == .userID || column.field == .mockupID
        try Self.set(column.field, of: &entry, to: isText ? .string(value) : .number(value))
      }
    }
    return entry
  }

  private static func set(
    _ field: Field, of entry: inout PerformanceEntry, to value: JSONValue
  ) throws(Mistake) {
    switch (field, value) {
    case (.userID, .string(let text)): entry.userID = text
    case (.mockupID, .string(let text)): entry.mockupID = text
    case (.pins, .number(let digits)): entry.pins = try count(digits, field)
    case (.impressions, .number(let digits)): entry.impressions = try count(digits, field)
    case (.userID, _), (.mockupID, _):
      throw Mistake("\(field.rawValue) must be a text, not \(value.text().prefix(80))")
    case (.pins, _), (.impressions, _):
      throw Mistake("\(field.rawValue) must be a number, not \(value.text().prefix(80))")
    }
  }

  private static func count(_ digits: String, _ field: Field) throws(Mistake) -> Int32 {
    guard let count = Int32(digits), count >= 0 else {
      throw Mistake(
        "\(field.rawValue) must be a whole number from 0 to \(Int32.max), "
          + "not \"\(digits.prefix(80))\"")
    }
    return count
  }

  private static func isObject(_ line: String) -> Bool {
    line.first { !$0.isWhitespace } == "{"
  }

  private static func members(_ line: String) throws(Mistake) -> [JSONValue.Member] {
    do {
      guard case .object(let members) = try JSONValue(line) else { return [] }
      return members
    } catch {
      throw Mistake("not valid JSON: \(error.message)")
    }
  }

  private static func values(_ line: String) throws(Mistake) -> [String] {
    guard let values = CSV.values(line) else {
      throw Mistake("quotes are not closed, or are followed by more than a comma")
    }
    return values
  }
}

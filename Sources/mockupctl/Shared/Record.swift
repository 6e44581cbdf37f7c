internal import FoundationEssentials
internal import MockupClient
internal import MockupPages
internal import VisibleText

/// A result as names and values, in the order in which they are shown.
struct Record {
  enum Value {
    case text(String)
    case number(Int64)
    case decimal(Double)
    case flag(Bool)
    case time(Timestamp)
    case list([String])
    /// A text of blocks, of which a part would be wrong.
    case bar(String)
    case nothing
  }

  var fields: [(name: String, value: Value)]
  /// A text below the record in a table.
  var note: Note?
  /// The number of columns, from the first one, without which a table is of no use.
  var requiredCount = 1

  init(_ fields: KeyValuePairs<String, Value>) {
    self.fields = fields.map { (name: $0.key, value: $0.value) }
  }
}

extension Record.Value {
  /// Returns a text, or nothing if it is empty.
  static func optionalText(_ text: String) -> Record.Value { text.isEmpty ? .nothing : .text(text) }

  static func number(_ number: Int32) -> Record.Value { .number(Int64(number)) }

  /// Returns a number, or nothing if it is `nil`.
  static func decimal(_ number: Double?) -> Record.Value { number.map { .decimal($0) } ?? .nothing }

  static func decimal(_ number: Float?) -> Record.Value {
    // The digits of the Float, since those of the Double would be more.
    .decimal(number.flatMap { Double("\($0)") })
  }

  static func time(_ time: Timestamp?) -> Record.Value { time.map { .time($0) } ?? .nothing }

  /// The value as text for a terminal.
  ///
  /// Control characters are escaped, since texts can come from other users.
  var terminalText: String {
    switch self {
    case .text(let text): text.visible()
    case .flag(let flag): flag ? "yes" : "no"
    case .nothing: "-"
    case .list(let texts): texts.isEmpty ? "-" : plain.visible()
    case .bar(let text): text
    case .number, .decimal, .time: plain
    }
  }

  /// The value as text for programs.
  var plain: String {
    switch self {
    case .text(let text), .bar(let text): text
    case .number(let number): String(number)
    case .decimal(let number): Int64(exactly: number).map { String($0) } ?? String(number)
    case .flag(let flag): String(flag)
    case .time(let time): time.text ?? "\(time.seconds) s"
    case .list(let texts): texts.joined(separator: ",")
    case .nothing: ""
    }
  }

  var json: JSONValue {
    switch self {
    case .number: .number(plain)
    case .decimal(let number): number.isFinite ? .number(plain) : .string(plain)
    case .flag(let flag): .bool(flag)
    case .text, .time, .bar: .string(plain)
    case .list(let texts): .array(texts.map { .string($0) })
    case .nothing: .null
    }
  }

  /// The value in CSV.
  var csv: CSV.Value {
    switch self {
    case .text, .list: .text(plain)
    case .number, .decimal, .flag, .time, .bar, .nothing: .plain(plain)
    }
  }

  /// True if a table may show a part of the value only.
  var canBeCut: Bool {
    switch self {
    case .text(let text): UUID(wireText: text) == nil
    case .list, .nothing: true
    case .number, .decimal, .flag, .time, .bar: false
    }
  }

  var isNumber: Bool {
    switch self {
    case .number, .decimal: true
    case .text, .flag, .time, .list, .bar, .nothing: false
    }
  }
}

extension Record {
  /// The record as a JSON object.
  var json: JSONValue { .object(members) }

  /// The fields as members of a JSON object.
  var members: [JSONValue.Member] { fields.map { .init($0.name, $0.value.json) } }
}

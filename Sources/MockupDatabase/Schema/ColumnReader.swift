internal import Postgres

/// A reader of a row's columns, in the order in which the statement lists them.
struct ColumnReader {
  private let row: Row
  private var next = 0

  init(_ row: Row) {
    self.row = row
  }

  /// Decodes the next column.
  mutating func read<Value: PostgresDecodable>(
    _ type: Value.Type = Value.self
  ) throws(PostgresError) -> Value {
    defer { next += 1 }
    return try row.decode(type, at: next)
  }
}

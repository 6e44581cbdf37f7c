/// One row of a result, valid only within the closure that decodes it.
///
/// `Row` is not `Sendable` and cannot leave the connection's thread: copy the values you need.
public struct Row {
  private let result: LibpqResult
  private let index: Int

  init(result: LibpqResult, index: Int) {
    self.result = result
    self.index = index
  }

  /// The number of columns.
  public var columnCount: Int { result.columnCount }

  /// Decodes a column by its index, counted from zero.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/decoding`` if the column does not exist,
  ///   has another type, is null or is malformed.
  public func decode<Value: PostgresDecodable>(
    _ type: Value.Type = Value.self,
    at column: Int
  ) throws(PostgresError) -> Value {
    guard (0..<columnCount).contains(column) else {
      throw PostgresError(
        .decoding, "column index \(column) is out of range: the row has \(columnCount) columns")
    }
    return try result.decode(type, row: index, column: column)
  }
}

/// The rows of a result, valid only within the completion that receives them.
///
/// `Rows` is not `Sendable` and cannot leave the connection's thread: copy the values you need.
public struct Rows {
  let result: LibpqResult

  /// The number of rows.
  public var count: Int { result.rowCount }

  /// Decodes each row.
  ///
  /// - Throws: ``PostgresError`` of the first row that cannot be decoded.
  public func map<Value>(
    _ decode: (Row) throws(PostgresError) -> Value
  ) throws(PostgresError) -> [Value] {
    try result.rows(decode)
  }
}

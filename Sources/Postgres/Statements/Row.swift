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

  // Inlinable, like the generic functions between a row and a value, so that each use is
  // specialized for its type.
  /// Decodes a column by its index, counted from zero.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/decoding`` if the column does not exist,
  ///   has another type, is null or is malformed.
  @inlinable public func decode<Value: PostgresDecodable>(
    _ type: Value.Type = Value.self,
    at column: Int
  ) throws(PostgresError) -> Value {
    guard var reader = try reader(of: column) else {
      guard let null = Value.postgresNull else { throw isNull(column) }
      return null
    }
    return try reader.decodeAll(as: type)
  }

  /// Returns a reader of a column's value, or nil if it is null.
  @usableFromInline func reader(of column: Int) throws(PostgresError) -> FieldReader? {
    guard (0..<columnCount).contains(column) else {
      throw PostgresError(
        .decoding, "column index \(column) is out of range: the row has \(columnCount) columns")
    }
    return result.reader(row: index, column: column)
  }

  @usableFromInline func isNull(_ column: Int) -> PostgresError {
    PostgresError(.decoding, "column \"\(result.columnName(column))\" is null")
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

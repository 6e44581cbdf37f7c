/// One row of a statement's answer, on loan to the closure that decodes it.
///
/// It is not `Sendable`, and so cannot leave the connection's thread: take out of it what is needed.
public struct Row {
  private let result: LibpqResult
  private let index: Int

  init(result: LibpqResult, index: Int) {
    self.result = result
    self.index = index
  }

  /// How many columns it has.
  public var columnCount: Int { result.columnCount }

  /// The names of the columns, in order.
  public var columnNames: [String] { (0..<columnCount).map(result.columnName) }

  /// Reads a column by its position, counted from zero.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/decoding``: there is no such column, its
  ///   type is another, it is null, or its bytes are malformed.
  public func decode<Value: PostgresDecodable>(
    _ type: Value.Type = Value.self,
    at column: Int
  ) throws(PostgresError) -> Value {
    guard (0..<columnCount).contains(column) else {
      throw PostgresError(.decoding, "There is no column \(column) among \(columnCount).")
    }
    return try result.decode(type, row: index, column: column)
  }

  /// Reads a column by its name, as the server spells it; of several, the first.
  ///
  /// - Throws: ``PostgresError`` with ``PostgresError/Code/decoding``: there is no such column, its
  ///   type is another, it is null, or its bytes are malformed.
  public func decode<Value: PostgresDecodable>(
    _ type: Value.Type = Value.self,
    named name: String
  ) throws(PostgresError) -> Value {
    guard let column = result.column(named: name) else {
      throw PostgresError(.decoding, "There is no column named \"\(name)\".")
    }
    return try result.decode(type, row: index, column: column)
  }
}

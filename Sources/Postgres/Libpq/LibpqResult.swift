import CLibPQ

/// The owner of a `PGresult`, which is freed when the last reference is released.
///
/// Not `Sendable`: it is used only on its connection's thread.
@safe final class LibpqResult {
  /// The kind of a result.
  enum Status {
    case rows
    case completed
    case failed
    case skipped
    case synchronized
    case unexpected
  }

  private let handle: OpaquePointer

  @unsafe init(owning handle: OpaquePointer) {
    unsafe self.handle = handle
  }

  deinit {
    unsafe PQclear(handle)
  }

  var status: Status {
    switch unsafe PQresultStatus(handle) {
    case PGRES_TUPLES_OK: .rows
    case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: .completed
    case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE: .failed
    case PGRES_PIPELINE_ABORTED: .skipped
    case PGRES_PIPELINE_SYNC: .synchronized
    default: .unexpected
    }
  }

  /// The command tag: `COMMIT`, or `ROLLBACK` for the COMMIT of a failed transaction.
  var commandTag: String { unsafe String(cString: PQcmdStatus(handle)) }

  /// The number of affected rows; 0 for commands that have no such number.
  var affectedRows: Int { unsafe Int(String(cString: PQcmdTuples(handle))) ?? 0 }

  var rowCount: Int { unsafe Int(PQntuples(handle)) }

  var columnCount: Int { unsafe Int(PQnfields(handle)) }

  /// Returns the name of a column, which must exist.
  func columnName(_ column: Int) -> String {
    guard let name = unsafe PQfname(handle, Int32(column)) else { return "?" }
    return unsafe String(cString: name)
  }

  /// Returns a reader of one field, or nil if it is null; the row and the column must exist.
  func reader(row: Int, column: Int) -> FieldReader? {
    let (row, index) = (Int32(row), Int32(column))
    if unsafe PQgetisnull(handle, row, index) == 1 { return nil }
    let bytes = unsafe UnsafeRawBufferPointer(
      start: PQgetvalue(handle, row, index),
      count: Int(PQgetlength(handle, row, index))
    )
    let oid = unsafe PQftype(handle, index)
    return unsafe FieldReader(
      bytes: bytes,
      type: PostgresType(oid: oid),
      column: .at(column, of: .passUnretained(self))
    )
  }

  /// Decodes every row.
  func rows<Value>(
    _ decode: (Row) throws(PostgresError) -> Value
  ) throws(PostgresError) -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(rowCount)
    for index in 0..<rowCount {
      values.append(try decode(Row(result: self, index: index)))
    }
    return values
  }

  /// The fields of an error or a notice; nil for libpq's own, which have no SQLSTATE.
  var serverFields: ServerFields? { unsafe ServerFields(reading: handle) }

  /// The complete message of one of libpq's own errors.
  var errorMessage: String { unsafe String(cString: PQresultErrorMessage(handle)) }
}

extension ServerFields {
  /// Reads the fields of an error or a notice; returns nil if there is no SQLSTATE.
  @unsafe init?(reading result: OpaquePointer) {
    // The PG_DIAG_… characters of postgres_ext.h, which Swift does not import.
    func field(_ code: Unicode.Scalar) -> String? {
      guard let text = unsafe PQresultErrorField(result, Int32(code.value)) else { return nil }
      return unsafe String(cString: text)
    }
    guard let state = field("C") else { return nil }
    self.init(
      severity: field("V") ?? "ERROR",
      sqlState: SQLState(state),
      message: field("M") ?? "",
      detail: field("D"),
      hint: field("H"),
      schema: field("s"),
      table: field("t"),
      column: field("c"),
      constraint: field("n"),
      position: field("P"),
      context: field("W"),
      routine: field("R")
    )
  }
}

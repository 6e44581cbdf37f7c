/// What the server says in an ErrorResponse or a NoticeResponse.
struct ServerFields: Sendable, Equatable {
  var severity = "ERROR"
  var sqlState: SQLState
  var message: String
  var detail: String?
  var hint: String?
  var schema: String?
  var table: String?
  var column: String?
  var constraint: String?
  var position: String?
  var context: String?
  /// The function of the server's source that reported it: never translated, as messages are.
  var routine: String?

  /// Whether the session ends with it.
  var isFatal: Bool { severity == "FATAL" || severity == "PANIC" }

  /// Whether `statement_timeout` is the reason of a 57014.
  ///
  /// The messages of an English server tell; nothing else in the report does.
  var isStatementTimeout: Bool {
    sqlState == .queryCanceled && message.contains("statement timeout")
  }

  /// Whether a plan that the session has cached, of a prepared statement or in a function, no longer
  /// fits the types of the columns that it reads.
  ///
  /// PostgreSQL does not plan anew what reads a row by way of a function when a column of it changes
  /// its type, and answers with `datatype_mismatch` then.
  var isStalePlan: Bool {
    (sqlState == SQLState("0A000") && routine == "RevalidateCachedQuery")
      || sqlState == .datatypeMismatch
  }

  /// Whether the session has other plans or prepared statements than was taken for granted: a stale
  /// one, none, or one too many, as behind a pooler that shares sessions.
  var isPlanProblem: Bool {
    isStalePlan || sqlState == .invalidStatementName || sqlState == .duplicateStatement
  }

  /// What the report says beyond message and detail, a line each.
  var debugLines: [String] {
    let fields: [(String, String?)] = [
      ("severity", severity), ("sqlstate", sqlState.code), ("hint", hint), ("schema", schema),
      ("table", table), ("column", column), ("constraint", constraint), ("position", position),
      ("context", context), ("routine", routine),
    ]
    return fields.compactMap { name, value in value.map { "\(name): \($0)" } }
  }

  /// The error it makes for the statement it answers.
  var error: PostgresError {
    PostgresError(isStatementTimeout ? .timedOut : .server(sqlState), server: self)
  }
}

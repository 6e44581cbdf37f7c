/// The fields of an ErrorResponse or a NoticeResponse.
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
  /// The function in the server's source code that reported it; unlike messages, never translated.
  var routine: String?

  /// True if the session ends with this error.
  var isFatal: Bool { severity == "FATAL" || severity == "PANIC" }

  /// True if `statement_timeout` caused a 57014.
  ///
  /// Only the message says so, and only if the server's messages are in English.
  var isStatementTimeout: Bool {
    sqlState == .queryCanceled && message.contains("statement timeout")
  }

  /// True if the notice says that the server stopped waiting for the replication of a commit.
  ///
  /// A cancel request, an administrator or a shutdown ends the wait. The transaction is committed
  /// on this server then, and PostgreSQL reports success (`SyncRepWaitForLSN` in syncrep.c).
  var endsReplicationWait: Bool { severity == "WARNING" && routine == "SyncRepWaitForLSN" }

  /// True if a cached plan, of a prepared statement or in a function, no longer fits the types of
  /// the columns that it reads.
  ///
  /// PostgreSQL does not replan a statement that reads a row through a function when the type of a
  /// column changes; it reports `datatype_mismatch` instead.
  var isStalePlan: Bool {
    (sqlState == SQLState("0A000") && routine == "RevalidateCachedQuery")
      || sqlState == .datatypeMismatch
  }

  /// True if the session's plans or prepared statements are not the expected ones: a plan is stale,
  /// or a statement is missing or already exists, as happens behind a pooler that shares sessions.
  var isPlanProblem: Bool {
    isStalePlan || sqlState == .invalidStatementName || sqlState == .duplicateStatement
  }

  /// The fields other than message and detail, one in each line.
  var debugLines: [String] {
    let fields: [(String, String?)] = [
      ("severity", severity), ("sqlstate", sqlState.code), ("hint", hint), ("schema", schema),
      ("table", table), ("column", column), ("constraint", constraint), ("position", position),
      ("context", context), ("routine", routine),
    ]
    return fields.compactMap { name, value in value.map { "\(name): \($0)" } }
  }

  /// The error for the statement that the server reports on.
  var error: PostgresError {
    PostgresError(isStatementTimeout ? .timedOut : .server(sqlState), server: self)
  }
}

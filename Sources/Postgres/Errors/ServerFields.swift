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
  var endsReplicationWait: Bool {
    severity == "WARNING" && routine == "SyncRepWaitForLSN"
      // The same notice of a partition, which has lost its severity and its routine. Only the
      // message says so, and only if the messages of the partition are in English.
      || isOfPartition && message.contains("REMOTE WARNING: canceling")
        && message.contains("synchronous replication")
  }

  /// True if a partition reported it to PL/Proxy, so that it tells nothing about this session.
  var isOfPartition: Bool { routine == Self.partitionRoutine }

  /// The function in PL/Proxy that reports an error or a notice of a partition.
  private static let partitionRoutine = "plproxy_remote_error"
  /// The function in PL/Proxy that reports an error of a connection to a partition, among others.
  private static let connectionRoutine = "plproxy_error_with_state"

  /// The constraint that was violated.
  ///
  /// PL/Proxy passes on the SQLSTATE of a partition's error, but not its constraint, which only the
  /// message names: `duplicate key value violates unique constraint "reservations_pkey"`.
  var violatedConstraint: String? {
    if let constraint { return constraint }
    guard isOfPartition, sqlState.conditionClass == "23" else { return nil }
    guard let start = message.firstRange(of: "constraint \"")?.upperBound else { return nil }
    return String(message[start...].prefix { $0 != "\"" })
  }

  /// The kind of failure if PL/Proxy's connection to a partition failed; nil for other errors.
  ///
  /// PL/Proxy reports these failures as internal errors (XX000), and the name of libpq's function
  /// is in the message. Once a statement may have been sent, its outcome is unknown.
  private var partitionFailure: PostgresError.Code? {
    guard routine == Self.connectionRoutine, sqlState == SQLState("XX000") else { return nil }
    if ["PQconnectStart", "PQconnectPoll", "connect timeout to"].contains(where: message.contains) {
      return .connectionUnavailable
    }
    let sent = [
      "PQflush", "PQconsumeInput", "PQsendQuery", "query timeout", "Lost result",
      "Unfinished connection", "poll() failed",
    ]
    return sent.contains(where: message.contains) ? .connectionLost : nil
  }

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
    PostgresError(
      isStatementTimeout ? .timedOut : partitionFailure ?? .server(sqlState), server: self)
  }
}

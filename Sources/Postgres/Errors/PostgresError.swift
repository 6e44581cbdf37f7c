/// An error of a statement, a transaction or a connection.
///
/// Make decisions by ``code``. Show ``description`` to clients, and log ``debugDescription``.
public struct PostgresError: Error, Sendable {
  /// The kind of a failure; no cases will be added, so a `switch` over it can be exhaustive.
  public enum Code: Sendable, Hashable {
    /// The server rejected or ended the statement, for the reason that the SQLSTATE names.
    case server(SQLState)
    /// There is no connection; the request had no effect.
    case connectionUnavailable
    /// The connection was lost while the statement was in flight; whether it took effect is
    /// unknown.
    case connectionLost
    /// The server committed the statement, but stopped waiting for its synchronous standbys.
    ///
    /// A failover may undo it; whether it lasts is unknown.
    case replicationUncertain
    /// The configured limit of pending requests is reached; nothing was sent.
    case queueFull
    /// The Swift task was cancelled; the statement had no effect.
    ///
    /// A statement that was sent and may write is never cancelled.
    case cancelled
    /// `statement_timeout` ended the statement, or a client-side timeout expired.
    case timedOut
    /// The result could not be decoded: an unexpected null, another type, or malformed bytes.
    ///
    /// The statement itself succeeded; outside a transaction it is committed.
    case decoding
    /// PostgreSQL cannot represent a parameter; nothing was sent.
    case encoding
    /// A statement name was reused for different SQL or parameter types; nothing was sent.
    case invalidStatement
    /// The configuration is invalid, for example because the database URL is malformed.
    case invalidConfiguration
    /// A statement failed, but the closure of its transaction returned; the transaction was rolled
    /// back.
    case transactionAborted
    /// The server or libpq sent an unexpected result; the connection was dropped.
    case protocolViolation
    /// The connection, the pool or the transaction is closed; nothing was sent.
    case closed
  }

  private final class Storage: Sendable {
    let code: Code
    let message: String
    let detail: String?
    let server: ServerFields?

    init(code: Code, message: String, detail: String?, server: ServerFields?) {
      self.code = code
      self.message = message
      self.detail = detail
      self.server = server
    }
  }

  private let storage: Storage

  /// Creates an error that the server did not report.
  ///
  /// - Parameters:
  ///   - code: The kind of failure.
  ///   - message: One line that may be shown to clients.
  ///   - detail: More about the failure; it is logged and not shown to clients.
  public init(_ code: Code, _ message: String, detail: String? = nil) {
    storage = Storage(code: code, message: message, detail: detail, server: nil)
  }

  /// Creates an error from the server's fields.
  init(_ code: Code, server: ServerFields) {
    storage = Storage(code: code, message: server.message, detail: server.detail, server: server)
  }

  /// The error of a commit whose replication the server no longer waits for.
  static let replicationUncertain = PostgresError(
    .replicationUncertain,
    "the commit may not have been replicated to the synchronous standbys")

  /// The error of a session that cannot write.
  static func readOnlySession(isStandby: Bool) -> PostgresError {
    PostgresError(
      .connectionUnavailable,
      server: ServerFields(
        severity: "ERROR", sqlState: .readOnlyTransaction, message: "the database is read-only",
        detail: isStandby ? standbyDetail : "default_transaction_read_only is on"))
  }

  private static let standbyDetail = "the database is a hot standby"

  /// True if no connection is possible because the only database that answers is a hot standby.
  public var isStandby: Bool {
    sqlState == .readOnlyTransaction && detail == Self.standbyDetail
  }

  /// True if the session that reported the error cannot write.
  ///
  /// If a partition cannot write, the session with its proxy can still write in others.
  var isOfReadOnlySession: Bool {
    sqlState == .readOnlyTransaction && storage.server?.isOfPartition != true
  }

  /// Returns the same error with another code.
  func recoded(_ code: Code) -> PostgresError {
    if let server = storage.server { return PostgresError(code, server: server) }
    return PostgresError(code, storage.message, detail: storage.detail)
  }

  /// The kind of failure, by which callers decide what to do.
  public var code: Code { storage.code }

  /// The description of the failure in one line.
  ///
  /// A message from the server may quote values and should not be shown to clients.
  public var message: String { storage.message }

  /// The server's SQLSTATE, regardless of ``code``; nil if the server did not report the error.
  public var sqlState: SQLState? {
    if let server = storage.server { return server.sqlState }
    if case .server(let state) = storage.code { return state }
    return nil
  }

  /// More about the failure, possibly with values: the server's DETAIL, or libpq's message.
  public var detail: String? { storage.detail }

  /// True if a plan that the session had cached no longer fits the tables.
  ///
  /// The session discards its plans afterwards, so the statement or its transaction can be retried.
  public var isStalePlan: Bool { storage.server?.isStalePlan ?? false }

  /// The server's CONTEXT: the calls of functions, innermost first, one in each line.
  public var context: String? { storage.server?.context }

  /// The server's HINT.
  public var hint: String? { storage.server?.hint }

  /// The constraint that was violated.
  public var constraint: String? { storage.server?.violatedConstraint }

  /// The table that the failure is about, if the server names one.
  public var table: String? { storage.server?.table }

  /// The column that the failure is about, if the server names one.
  public var column: String? { storage.server?.column }

  /// True if nothing took effect and a retry may succeed.
  ///
  /// That is the case for ``Code/connectionUnavailable`` and ``Code/queueFull``, a serialization
  /// failure (40001), a deadlock (40P01), a stale plan (``isStalePlan``), and the states by which
  /// the server ends a session (57P01 to 57P05, 25P03). The end of a session is reported as
  /// ``Code/server(_:)`` only if the session ended before the statement could commit, and as
  /// ``Code/connectionLost`` otherwise. In a transaction, retry the whole transaction.
  ///
  /// This assumes that the statement does not commit midway, as a procedure or
  /// `CREATE INDEX CONCURRENTLY` may do.
  public var isRetriable: Bool {
    switch code {
    case .connectionUnavailable, .queueFull:
      true
    case .server(let state):
      state == .serializationFailure || state == .deadlockDetected || state.endsSession
        || isStalePlan
    case .connectionLost, .replicationUncertain, .cancelled, .timedOut, .decoding, .encoding,
      .invalidStatement, .invalidConfiguration, .transactionAborted, .protocolViolation, .closed:
      false
    }
  }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
  /// The failure without parameter values, the server's texts, host names and credentials.
  public var description: String {
    guard let server = storage.server else { return storage.message }
    var text = "PostgreSQL error \(server.sqlState)"
    if let constraint = server.violatedConstraint { text += " (constraint \(constraint))" }
    return text
  }

  /// The failure in the words of the server or libpq.
  ///
  /// It consists of the message, SQLSTATE, detail, hint and context, each on a line of its own. It
  /// may quote values, but has no password.
  public var report: String {
    guard let server = storage.server else {
      // libpq's messages may have several lines.
      let detail = storage.detail?.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      return ([storage.message] + [detail].compactMap(\.self)).joined(separator: ": ")
    }
    let fields = [("detail", server.detail), ("hint", server.hint), ("context", server.context)]
    return
      (["\(server.message) (SQLSTATE \(server.sqlState))"]
      + fields.compactMap { name, text in text.map { "\(name): \($0)" } })
      .joined(separator: "\n")
  }

  /// All details of the failure, for internal logs; it may quote values, but has no password.
  public var debugDescription: String {
    var lines = ["\(code): \(storage.message)"]
    if let detail { lines.append("detail: \(detail)") }
    if let server = storage.server { lines += server.debugLines }
    return lines.joined(separator: "\n")
  }
}

extension PostgresError: Equatable {
  /// Returns true if the code, message, detail and server fields are equal.
  public static func == (left: PostgresError, right: PostgresError) -> Bool {
    left.code == right.code && left.message == right.message && left.detail == right.detail
      && left.storage.server == right.storage.server
  }
}

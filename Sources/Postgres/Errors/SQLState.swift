/// An SQLSTATE: the five characters by which PostgreSQL identifies a condition.
///
/// The constants are the states that programs commonly distinguish; any other state can be written
/// as `SQLState("22012")`. Source: PostgreSQL 15, appendix A, "PostgreSQL Error Codes".
public struct SQLState: Sendable, Hashable, CustomStringConvertible {
  /// The five characters as the server sent them.
  public let code: String

  /// Creates a state from its five characters, which are not checked.
  public init(_ code: String) {
    self.code = code
  }

  /// The class: the first two characters, such as `"23"` for integrity constraint violations.
  public var conditionClass: String { String(code.prefix(2)) }

  /// The same five characters as ``code``.
  public var description: String { code }
}

extension SQLState {
  /// A foreign key was violated.
  public static let foreignKeyViolation = SQLState("23503")
  /// A unique constraint or index was violated.
  public static let uniqueViolation = SQLState("23505")
  /// A CHECK constraint was violated.
  public static let checkViolation = SQLState("23514")
  /// The transaction has already failed, so only ROLLBACK is accepted.
  public static let inFailedTransaction = SQLState("25P02")
  /// No prepared statement of that name exists.
  public static let invalidStatementName = SQLState("26000")
  /// The transaction or the database is read-only.
  public static let readOnlyTransaction = SQLState("25006")
  /// The transaction conflicts with a concurrent one; it may succeed when retried.
  public static let serializationFailure = SQLState("40001")
  /// The transaction was the victim of a deadlock; it may succeed when retried.
  public static let deadlockDetected = SQLState("40P01")
  /// The role lacks a privilege.
  public static let insufficientPrivilege = SQLState("42501")
  /// A value has an unexpected type; also reported when a cached plan no longer fits the tables.
  public static let datatypeMismatch = SQLState("42804")
  /// A prepared statement of that name already exists.
  public static let duplicateStatement = SQLState("42P05")
  /// The table does not exist.
  public static let undefinedTable = SQLState("42P01")
  /// A lock was not available at once (NOWAIT) or within `lock_timeout`.
  public static let lockNotAvailable = SQLState("55P03")
  /// The statement was cancelled by a request or by `statement_timeout`.
  public static let queryCanceled = SQLState("57014")
  /// The server ended the session because of an administrator command or a shutdown.
  public static let adminShutdown = SQLState("57P01")
  /// The server ended the session because another server process crashed.
  public static let crashShutdown = SQLState("57P02")
  /// The server is starting up, shutting down or recovering.
  public static let cannotConnectNow = SQLState("57P03")

  /// The server ended the session because its database was dropped.
  public static let databaseDropped = SQLState("57P04")
  /// The server ended the session because it was idle for too long.
  public static let idleSessionTimeout = SQLState("57P05")
  /// The server ended the session because its transaction was idle for too long.
  public static let idleInTransactionSessionTimeout = SQLState("25P03")

  /// True if the state means that the server ended the session.
  var endsSession: Bool {
    switch self {
    case .adminShutdown, .crashShutdown, .cannotConnectNow, .databaseDropped, .idleSessionTimeout,
      .idleInTransactionSessionTimeout:
      true
    default: false
    }
  }
}

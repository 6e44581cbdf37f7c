/// The five characters by which PostgreSQL names a condition.
///
/// The names below are those a program commonly decides by; every other state can be written as
/// `SQLState("22012")`. Source: PostgreSQL 15, appendix A, "PostgreSQL Error Codes".
public struct SQLState: Sendable, Hashable, CustomStringConvertible {
  /// The five characters as the server sent them.
  public let code: String

  /// Makes a state from its five characters; nothing is checked.
  public init(_ code: String) {
    self.code = code
  }

  /// The class: the first two characters, `"23"` for every integrity constraint violation.
  public var conditionClass: String { String(code.prefix(2)) }

  /// The five characters.
  public var description: String { code }
}

extension SQLState {
  /// A NOT NULL constraint was violated.
  public static let notNullViolation = SQLState("23502")
  /// A foreign key was violated.
  public static let foreignKeyViolation = SQLState("23503")
  /// A unique constraint or index was violated.
  public static let uniqueViolation = SQLState("23505")
  /// A CHECK constraint was violated.
  public static let checkViolation = SQLState("23514")
  /// An exclusion constraint was violated.
  public static let exclusionViolation = SQLState("23P01")
  /// The transaction already failed, so that only ROLLBACK is accepted.
  public static let inFailedTransaction = SQLState("25P02")
  /// A prepared statement of that name does not exist.
  public static let invalidStatementName = SQLState("26000")
  /// The transaction or the database is read-only.
  public static let readOnlyTransaction = SQLState("25006")
  /// The transaction cannot be serialized with others; it may succeed when run again.
  public static let serializationFailure = SQLState("40001")
  /// The transaction was the victim of a deadlock; it may succeed when run again.
  public static let deadlockDetected = SQLState("40P01")
  /// The login lacks a privilege.
  public static let insufficientPrivilege = SQLState("42501")
  /// The statement has a syntax error.
  public static let syntaxError = SQLState("42601")
  /// A value has another type than is expected; also where a cached plan no longer fits the tables.
  public static let datatypeMismatch = SQLState("42804")
  /// A prepared statement of that name exists.
  public static let duplicateStatement = SQLState("42P05")
  /// The table does not exist.
  public static let undefinedTable = SQLState("42P01")
  /// A lock asked for with NOWAIT, or within `lock_timeout`, was not to be had.
  public static let lockNotAvailable = SQLState("55P03")
  /// The statement was cancelled, by request or by `statement_timeout`.
  public static let queryCanceled = SQLState("57014")
  /// The server ended the session: an operator's command, or a shutdown.
  public static let adminShutdown = SQLState("57P01")
  /// The server ended the session because another of its processes crashed.
  public static let crashShutdown = SQLState("57P02")
  /// The server is starting, stopping or recovering.
  public static let cannotConnectNow = SQLState("57P03")

  /// The server ended the session because its database was dropped.
  public static let databaseDropped = SQLState("57P04")
  /// The server ended the session because it was idle for too long.
  public static let idleSessionTimeout = SQLState("57P05")
  /// The server ended the session because its transaction was idle for too long.
  public static let idleInTransactionSessionTimeout = SQLState("25P03")

  /// Whether the server says that it ended the session itself.
  var endsSession: Bool {
    switch self {
    case .adminShutdown, .crashShutdown, .cannotConnectNow, .databaseDropped, .idleSessionTimeout,
      .idleInTransactionSessionTimeout:
      true
    default: false
    }
  }
}

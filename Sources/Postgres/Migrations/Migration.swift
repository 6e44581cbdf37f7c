public import FoundationEssentials

/// One step from one shape of the database to the next.
public struct Migration: Sendable, Hashable {
  /// Its number: the first is 1, and there are no gaps.
  public let version: Int

  /// What it is called, for people and for errors.
  public let name: String

  /// The statements; they are run in one transaction, and must not end it.
  public let sql: String

  /// Makes a step.
  public init(version: Int, name: String, sql: String) {
    self.version = version
    self.name = name
    self.sql = sql
  }
}

/// A step that a database has made.
public struct AppliedMigration: Sendable, Hashable {
  /// Its number.
  public let version: Int

  /// What it was called at the time.
  public let name: String

  /// The SHA-256 of its SQL, in hexadecimal.
  public let checksum: String

  /// When it was made.
  public let appliedAt: Date
}

/// How far a database has come.
public struct MigrationStatus: Sendable, Hashable {
  /// The steps made, in order.
  public let applied: [AppliedMigration]

  /// The steps to be made, in order.
  public let pending: [Migration]
}

/// An event while migrations are applied.
public enum MigrationEvent: Sendable {
  /// A migration is applied and committed.
  case applied(Migration)
  /// The server sent a notice, such as a WARNING that a migration raises.
  case notice(PostgresNotice)
  /// A lock is not free: of these sessions, each holds it, or is ahead in the queue for it.
  case waiting(for: [BlockingSession])
}

/// A session that another one waits for.
public struct BlockingSession: Sendable, Hashable {
  /// The server's process; 0 for a prepared transaction.
  public let processID: Int32

  /// The name of the program; empty if it gave none.
  public let applicationName: String

  /// The role that it logged in as, if the server tells.
  public let user: String?

  /// When its transaction began, if the server tells.
  public let transactionStart: Date?
}

/// Why a database could not be brought to its next shape.
public struct MigrationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What kind of failure it is.
  public enum Code: Sendable, Hashable {
    /// The given list has a version twice.
    case invalidList
    /// A migration that was applied has other SQL now, or one before it was added since.
    case changed
    /// The database has a migration that this program does not know: it is newer.
    case databaseIsNewer
    /// The version asked for is not in the list.
    case unknownVersion
    /// The record, or its schema, belongs to another login, which could run code as this one.
    case foreignRecord
    /// A migration's SQL failed. Nothing of it remains; those before it do.
    case failed
    /// The database could not be asked.
    case database
  }

  /// What kind of failure it is.
  public let code: Code

  /// What happened in one line; fit for strangers.
  public let message: String

  /// What the database said.
  public let cause: PostgresError?

  init(_ code: Code, _ message: String, cause: PostgresError? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  /// The message and the cause's description.
  public var description: String { text(\.description) }

  /// The message and everything that PostgreSQL said about the cause; see ``PostgresError/report``.
  public var report: String { text(\.report) }

  private func text(_ words: (PostgresError) -> String) -> String {
    guard let cause else { return message }
    return cause.code == .connectionUnavailable ? words(cause) : "\(message): \(words(cause))"
  }
}

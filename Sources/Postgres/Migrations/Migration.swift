public import FoundationEssentials

/// A versioned migration: one step from one shape of the database to the next, applied once.
public struct Migration: Sendable, Hashable {
  /// The number by which migrations are ordered; numbers may be left out.
  public let version: Int

  /// The name for people and for errors.
  public let name: String

  /// The statements; they are run in a transaction, and must not end it.
  public let sql: String

  /// Makes a migration.
  public init(version: Int, name: String, sql: String) {
    self.version = version
    self.name = name
    self.sql = sql
  }
}

/// A repeatable migration: code in the database (a function, view, aggregate or trigger) that is
/// applied again whenever its text has changed.
public struct RepeatableMigration: Sendable, Hashable {
  /// The name under which it is recorded; unique in its list.
  public let name: String

  /// The statements, which replace what is there (`CREATE OR REPLACE`); they are run in a transaction,
  /// and must not end it.
  public let sql: String

  /// Makes a migration.
  public init(name: String, sql: String) {
    self.name = name
    self.sql = sql
  }
}

/// A program's repeatable migrations.
public struct RepeatableMigrations: Sendable, Hashable {
  /// No migrations.
  public static let none = RepeatableMigrations(revision: 0, migrations: [])

  /// The number of the release that last changed one of them. A database to which a higher revision
  /// has been applied is newer than the program.
  public let revision: Int

  /// The migrations, in the order in which they are applied.
  public let migrations: [RepeatableMigration]

  /// Makes a list.
  public init(revision: Int, migrations: [RepeatableMigration]) {
    self.revision = revision
    self.migrations = migrations
  }
}

/// Migrations of both kinds, each kind in the order in which it is applied.
public struct MigrationSet: Sendable, Hashable {
  /// The versioned migrations, which are applied first.
  public let versioned: [Migration]

  /// The repeatable migrations.
  public let repeatable: [RepeatableMigration]

  /// Whether there are none of either kind.
  public var isEmpty: Bool { versioned.isEmpty && repeatable.isEmpty }
}

/// A versioned migration that was applied to a database.
public struct AppliedMigration: Sendable, Hashable {
  /// Its version.
  public let version: Int

  /// The name that it had.
  public let name: String

  /// The SHA-256 of its SQL, in hexadecimal.
  public let checksum: String

  /// The time at which it was applied.
  public let appliedAt: Date
}

/// A repeatable migration that was applied to a database.
public struct AppliedRepeatableMigration: Sendable, Hashable {
  /// Its name.
  public let name: String

  /// The SHA-256 of the SQL that was last applied, in hexadecimal.
  public let checksum: String

  /// The revision of the list with which it was last applied.
  public let revision: Int

  /// The time at which it was last applied.
  public let appliedAt: Date
}

/// The migrations that a database has, and those that it lacks.
public struct MigrationStatus: Sendable, Hashable {
  /// The versioned migrations that were applied, in order.
  public let applied: [AppliedMigration]

  /// The repeatable migrations that were applied and whose text has not changed since, in the order
  /// of the list.
  public let appliedRepeatable: [AppliedRepeatableMigration]

  /// The migrations to be applied.
  public let pending: MigrationSet
}

/// An event while migrations are applied.
public enum MigrationEvent: Sendable {
  /// A versioned migration is applied and committed.
  case applied(Migration)
  /// A repeatable migration is applied and committed.
  case appliedRepeatable(RepeatableMigration)
  /// The server sent a notice, such as a WARNING that a migration raises.
  case notice(PostgresNotice)
  /// A lock is not free: each of these sessions holds it, or is ahead in the queue for it.
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

/// An error that kept a database from being migrated, or its status from being read.
public struct MigrationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of a failure.
  public enum Code: Sendable, Hashable {
    /// The given lists have a version or a name twice.
    case invalidList
    /// A versioned migration was changed, or inserted before another one, after that was applied.
    case changed
    /// The database has a versioned migration, or a revision of the repeatable ones, that this program
    /// does not know: it is newer.
    case databaseIsNewer
    /// The version asked for is not in the list.
    case unknownVersion
    /// The record's schema, or a table, view or function in it, belongs to another login, which could
    /// run code as this one.
    case foreignObject
    /// The SQL of a migration failed. Nothing has changed.
    case failed
    /// The database could not be asked.
    case database
  }

  /// The kind of the failure.
  public let code: Code

  /// What happened, in one line that may be shown to anybody.
  public let message: String

  /// The database's error, if it reported one.
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

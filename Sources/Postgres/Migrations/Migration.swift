public import FoundationEssentials

/// A versioned migration: a change of the database schema that is applied once.
public struct Migration: Sendable, Hashable {
  /// The version, which determines the order; versions may have gaps.
  public let version: Int

  /// The name that is shown to people and in errors.
  public let name: String

  /// The SQL statements; they run in a transaction and must not end it.
  public let sql: String

  /// Creates a migration.
  public init(version: Int, name: String, sql: String) {
    self.version = version
    self.name = name
    self.sql = sql
  }
}

/// A repeatable migration: a function, view, aggregate or trigger that is replaced whenever its SQL
/// text has changed.
public struct RepeatableMigration: Sendable, Hashable {
  /// The name under which it is recorded; unique among the repeatable migrations.
  public let name: String

  /// The SQL statements, which replace the existing object (`CREATE OR REPLACE`).
  ///
  /// They run in a transaction and must not end it.
  public let sql: String

  /// Creates a repeatable migration.
  public init(name: String, sql: String) {
    self.name = name
    self.sql = sql
  }
}

/// The repeatable migrations of a program.
public struct RepeatableMigrations: Sendable, Hashable {
  /// An empty list, of revision 0.
  public static let none = RepeatableMigrations(revision: 0, migrations: [])

  /// The revision of the list: the number of the release that last changed one of the migrations.
  ///
  /// A database to which a higher revision was applied is newer than the program.
  public let revision: Int

  /// The migrations, in the order in which they are applied.
  public let migrations: [RepeatableMigration]

  /// Creates a list.
  public init(revision: Int, migrations: [RepeatableMigration]) {
    self.revision = revision
    self.migrations = migrations
  }
}

/// Versioned and repeatable migrations, both in the order in which they are applied.
public struct MigrationSet: Sendable, Hashable {
  /// The versioned migrations, which are applied before the repeatable ones.
  public let versioned: [Migration]

  /// The repeatable migrations, which are applied last.
  public let repeatable: [RepeatableMigration]

  /// A Boolean value that indicates whether there are no migrations of either kind.
  public var isEmpty: Bool { versioned.isEmpty && repeatable.isEmpty }
}

/// A versioned migration that was applied to a database.
public struct AppliedMigration: Sendable, Hashable {
  /// The version under which the migration was recorded.
  public let version: Int

  /// The name that the migration had when it was applied.
  public let name: String

  /// The SHA-256 of the SQL text, in hexadecimal.
  public let checksum: String

  /// The time at which it was applied, by the database's clock.
  public let appliedAt: Date
}

/// A repeatable migration that was applied to a database.
public struct AppliedRepeatableMigration: Sendable, Hashable {
  /// The name under which the migration was recorded.
  public let name: String

  /// The SHA-256 of the SQL text that was last applied, in hexadecimal.
  public let checksum: String

  /// The revision of the list from which it was last applied.
  public let revision: Int

  /// The time at which it was last applied, by the database's clock.
  public let appliedAt: Date
}

/// The applied and the pending migrations of a database.
public struct MigrationStatus: Sendable, Hashable {
  /// The applied versioned migrations, in order.
  public let applied: [AppliedMigration]

  /// The applied repeatable migrations whose text has not changed since, in the order of the list.
  public let appliedRepeatable: [AppliedRepeatableMigration]

  /// The migrations that are not applied yet.
  public let pending: MigrationSet

  /// The names of the repeatable migrations that were last applied with another text.
  public let outdated: Set<String>
}

/// An event during a migration.
public enum MigrationEvent: Sendable {
  /// A versioned migration begins.
  ///
  /// Nothing is committed before all migrations are applied.
  case applying(Migration)
  /// A repeatable migration begins.
  case applyingRepeatable(RepeatableMigration)
  /// The server sent a notice, such as a WARNING that a migration raises.
  case notice(PostgresNotice)
  /// The migration waits for a lock that these sessions hold, or wait for before it.
  case waiting(for: [BlockingSession])
}

/// A session that blocks another one.
public struct BlockingSession: Sendable, Hashable {
  /// The process ID of the server process; 0 for a prepared transaction.
  public let processID: Int32

  /// The session's `application_name`; empty if it has none.
  public let applicationName: String

  /// The role that the session logged in as; nil if the server does not report it.
  public let user: String?

  /// The start of the session's transaction; nil if the server does not report it.
  public let transactionStart: Date?
}

/// An error that prevented a migration, or the reading of the migration status.
public struct MigrationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of a failure.
  public enum Code: Sendable, Hashable {
    /// A version or a name occurs twice in the list.
    case invalidList
    /// A versioned migration was changed after it was applied, or inserted before an applied one.
    case changed
    /// The database is newer than the program: it has a migration or a revision that the program
    /// does not know.
    case databaseIsNewer
    /// The requested version is not in the list.
    case unknownVersion
    /// The record's schema, or a table, view or function in it, belongs to another role, which
    /// could run code with this role's privileges.
    case foreignObject
    /// The SQL of a migration failed, or the commit; nothing was changed.
    case failed
    /// The connection was lost during the commit, or the commit may not have been replicated: the
    /// migrations may have been applied.
    case uncertain
    /// The database could not be reached, or the record could not be read or written.
    case database
  }

  /// The kind of the failure, by which callers decide what to do.
  public let code: Code

  /// The description of the failure in one line, which may be shown to anyone.
  public let message: String

  /// The error of the database, if it caused the failure.
  public let cause: PostgresError?

  init(_ code: Code, _ message: String, cause: PostgresError? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  /// The message and the cause's description.
  public var description: String { text(\.description) }

  /// The message and PostgreSQL's full report of the cause; see ``PostgresError/report``.
  public var report: String { text(\.report) }

  private func text(_ words: (PostgresError) -> String) -> String {
    guard let cause else { return message }
    return cause.code == .connectionUnavailable ? words(cause) : "\(message): \(words(cause))"
  }
}

import FoundationEssentials
import MockupSchema
import Postgres
import TestSupport

/// A database with the initial schema, created without the migrator.
///
/// As on Supabase, the roles have all privileges on each new object.
struct InitialDatabase: Sendable {
  let database: MigratedDatabase

  /// Runs a closure with a new database.
  static func with<Value>(_ body: (InitialDatabase) async throws -> Value) async throws -> Value {
    try await MigratedDatabase.withoutSchema { database in
      try await database.withOwner { pool in
        try await pool.withTransaction { transaction throws(PostgresError) in
          try await transaction.runScript(
            """
            ALTER DEFAULT PRIVILEGES IN SCHEMA public
              GRANT ALL ON TABLES TO anon, authenticated, service_role;
            ALTER DEFAULT PRIVILEGES IN SCHEMA public
              GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;
            ALTER DEFAULT PRIVILEGES IN SCHEMA public
              GRANT ALL ON SEQUENCES TO anon, authenticated, service_role;
            """)
          for migration in Schema.migrations where migration.version <= 7 {
            try await transaction.runScript(migration.sql)
          }
        }
      }
      return try await body(InitialDatabase(database: database))
    }
  }

  /// Applies every migration; those of the initial schema find their objects in place.
  func migrate(onWarning: @escaping @Sendable (String) -> Void = { _ in }) async throws {
    let migrator = try Schema.migrator(configuration: database.owner) { event in
      if case .notice(let notice) = event, notice.severity == "WARNING" {
        onWarning(notice.message)
      }
    }
    try await migrator.migrate()
  }
}

import NIOConcurrencyHelpers
import Testing

@testable import Postgres

/// Repeatable migrations, which are applied again when their text changes.
@Suite struct RepeatableMigrationTests {
  private let table = [
    Migration(version: 1, name: "numbers", sql: "CREATE TABLE public.number (value int8)")
  ]

  private func function(_ name: String, _ body: String) -> RepeatableMigration {
    RepeatableMigration(
      name: "area/\(name)",
      sql: "CREATE OR REPLACE FUNCTION public.\(name)() RETURNS text LANGUAGE sql AS $$ \(body) $$")
  }

  private func list(
    revision: Int = 1, _ migrations: RepeatableMigration...
  ) -> RepeatableMigrations {
    RepeatableMigrations(revision: revision, migrations: migrations)
  }

  private func migrator(
    _ database: TestDatabase, _ migrations: [Migration], _ repeatable: RepeatableMigrations,
    onEvent: @escaping @Sendable (MigrationEvent) -> Void = { _ in }
  ) throws -> Migrator {
    try Migrator(
      configuration: database.configuration, schema: "record", migrations: migrations,
      repeatable: repeatable, onEvent: onEvent)
  }

  private func rows(_ sql: String, in database: TestDatabase) async throws -> [String] {
    try await database.withConnection { connection in
      try await connection.column(Statement(sql))
    }
  }

  @Test func `repeatable migrations are applied after versioned ones, in list order`()
    async throws
  {
    try await TestDatabase.with { database in
      // Each needs the one before it, and the first needs the table.
      let first = RepeatableMigration(
        name: "z", sql: "CREATE OR REPLACE VIEW public.z AS SELECT value FROM public.number")
      let second = RepeatableMigration(
        name: "a", sql: "CREATE OR REPLACE VIEW public.a AS SELECT value FROM public.z")
      let events = NIOLockedValueBox<[String]>([])
      let migrator = try migrator(database, table, list(first, second)) { event in
        switch event {
        case .applying(let migration): events.withLockedValue { $0.append(migration.name) }
        case .applyingRepeatable(let migration):
          events.withLockedValue { $0.append(migration.name) }
        case .notice, .waiting: break
        }
      }
      let applied = try await migrator.migrate()
      #expect(applied == MigrationSet(versioned: table, repeatable: [first, second]))
      #expect(events.withLockedValue { $0 } == ["numbers", "z", "a"])

      #expect(try await migrator.migrate().isEmpty)
      #expect(events.withLockedValue { $0.count } == 3)
      let status = try await migrator.status()
      #expect(status.pending.isEmpty)
      #expect(status.appliedRepeatable.map(\.name) == ["z", "a"])
    }
  }

  @Test func `only a migration whose text changed is applied again`() async throws {
    try await TestDatabase.with { database in
      let (one, two) = (function("one", "SELECT 'old'"), function("two", "SELECT 'old'"))
      try await migrator(database, table, list(one, two)).migrate()
      // A function that is not applied again keeps this definition.
      _ = try await database.withConnection { connection in
        try await connection.execute(
          "CREATE OR REPLACE FUNCTION public.two() RETURNS text LANGUAGE sql AS $$ SELECT 'mine' $$"
        )
      }
      let changed = function("one", "SELECT 'new'")
      let added = function("three", "SELECT ''")
      let second = try migrator(database, table, list(revision: 2, changed, two, added))
      let status = try await second.status()
      #expect(status.appliedRepeatable.map(\.name) == ["area/two"])
      #expect(status.pending == MigrationSet(versioned: [], repeatable: [changed, added]))
      #expect(status.outdated == ["area/one"])
      #expect(try await second.migrate() == status.pending)
      #expect(
        try await rows("SELECT one() UNION ALL SELECT two()", in: database) == ["new", "mine"])
      #expect(
        try await rows(
          "SELECT concat(name, ' ', revision) FROM record.repeatable_migrations ORDER BY name",
          in: database) == ["area/one 2", "area/three 2", "area/two 1"])
    }
  }

  @Test func `a migration that is no longer listed is removed from the record`() async throws {
    try await TestDatabase.with { database in
      let (one, two) = (function("one", "SELECT ''"), function("two", "SELECT ''"))
      try await migrator(database, table, list(one, two)).migrate()
      let drop = Migration(version: 2, name: "drop_two", sql: "DROP FUNCTION public.two()")
      try await migrator(database, table + [drop], list(revision: 2, one)).migrate()
      #expect(
        try await rows("SELECT name FROM record.repeatable_migrations", in: database) == [
          "area/one"
        ])
    }
  }

  @Test func `a program with an older revision is refused`() async throws {
    try await TestDatabase.with { database in
      let (old, new) = (function("one", "SELECT 'old'"), function("one", "SELECT 'new'"))
      try await migrator(database, table, list(revision: 2, old)).migrate()
      try await migrator(database, table, list(revision: 3, new)).migrate()
      let older = try migrator(database, table, list(revision: 2, old))
      for operation in [{ _ = try await older.migrate() }, { _ = try await older.status() }] {
        let error = await #expect(throws: MigrationError.self) { try await operation() }
        #expect(error?.code == .databaseIsNewer)
        #expect(
          error?.message
            == "the database has area/one of revision 3, but this program has revision 2")
      }
      #expect(try await rows("SELECT one()", in: database) == ["new"])
    }
  }

  @Test func `a failing migration rolls back all migrations, and the error names it`() async throws
  {
    try await TestDatabase.with { database in
      let good = function("good", "SELECT ''")
      let broken = function("broken", "SELECT nothing FROM nowhere")
      let migrator = try migrator(database, table, list(good, broken))
      let error = await #expect(throws: MigrationError.self) { try await migrator.migrate() }
      #expect(error?.code == .failed)
      #expect(error?.message == "migration area/broken failed")
      #expect(error?.cause?.code == .server(.undefinedTable))
      let status = try await migrator.status()
      #expect(status.applied.isEmpty && status.appliedRepeatable.isEmpty)
      #expect(
        try await rows(
          """
          SELECT name FROM unnest(ARRAY['public.number', 'record.repeatable_migrations']) AS name
          WHERE to_regclass(name) IS NOT NULL
          UNION ALL SELECT 'function' WHERE to_regproc('public.good') IS NOT NULL
          """, in: database) == [])
    }
  }

  @Test func `one of several concurrent migrators applies the migrations`() async throws {
    try await TestDatabase.with { database in
      let slow = RepeatableMigration(name: "slow", sql: "SELECT pg_sleep(0.3)")
      let migrator = try migrator(database, [], list(slow))
      let applied = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<4 { group.addTask { try await migrator.migrate().repeatable.count } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(applied.sorted() == [0, 0, 0, 1])
    }
  }

  @Test func `migrating up to a version applies no repeatable migrations`() async throws {
    try await TestDatabase.with { database in
      let migrator = try migrator(database, table, list(function("one", "SELECT ''")))
      #expect(try await migrator.migrate(upTo: 1) == MigrationSet(versioned: table, repeatable: []))
      #expect(try await migrator.status().pending.repeatable.map(\.name) == ["area/one"])
    }
  }

  @Test(arguments: [
    (
      "CREATE TABLE record.repeatable_migrations (name text, checksum text, revision bigint)",
      "table record.repeatable_migrations"
    ),
    (
      "CREATE FUNCTION record.one() RETURNS text LANGUAGE sql AS $$ SELECT 'foreign' $$",
      "function record.one()"
    ),
    ("CREATE VIEW record.other AS SELECT 'foreign' AS value", "view record.other"),
  ])
  func `an object of another owner in the record schema is refused, even for a superuser`(
    sql: String, object: String
  ) async throws {
    try await TestDatabase.with { database in
      let owner = "owner_of_\(database.name)"
      let statements = [
        "CREATE SCHEMA record", "CREATE ROLE \(owner)",
        "GRANT USAGE, CREATE ON SCHEMA record TO \(owner)",
        "SET ROLE \(owner)", sql, "RESET ROLE",
      ]
      try await database.withConnection { connection in
        for sql in statements { try await connection.execute(Statement(sql)) }
      }
      let replaces = RepeatableMigration(
        name: "one",
        sql:
          "CREATE OR REPLACE FUNCTION record.one() RETURNS text LANGUAGE sql AS $$ SELECT 'own' $$")
      let migrator = try migrator(database, table, list(replaces))
      for operation in [{ _ = try await migrator.migrate() }, { _ = try await migrator.status() }] {
        let error = await #expect(throws: MigrationError.self) { try await operation() }
        #expect(error?.code == .foreignObject)
        #expect(error?.message.hasPrefix("\(object) is owned by \(owner), but") == true)
      }
      try await database.withConnection { connection in
        try await connection.execute(Statement("DROP OWNED BY \(owner)"))
        try await connection.execute(Statement("DROP ROLE \(owner)"))
      }
      #expect(try await migrator.migrate().repeatable == [replaces])
    }
  }
}

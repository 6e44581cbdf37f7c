import Testing

@testable import Postgres

@Suite struct MigratorTests {
  private let migrations = [
    Migration(
      version: 1, name: "accounts", sql: "CREATE TABLE public.account (id int8); SELECT 1;"),
    Migration(version: 2, name: "names", sql: "ALTER TABLE public.account ADD name text;"),
    Migration(version: 3, name: "rows", sql: "INSERT INTO public.account VALUES (1, 'Zoë')"),
  ]

  private func migrator(
    _ database: TestDatabase,
    _ migrations: [Migration],
    _ repeatable: RepeatableMigrations = .none,
    schema: String = "our \"own\" schema"
  ) throws -> Migrator {
    try Migrator(
      configuration: database.configuration, schema: schema, migrations: migrations,
      repeatable: repeatable)
  }

  private func failure(_ body: () async throws -> Void) async throws -> MigrationError? {
    do {
      try await body()
    } catch let error as MigrationError {
      return error
    }
    return nil
  }

  @Test func `pending migrations are applied once, in order`() async throws {
    try await TestDatabase.with { database in
      let migrator = try migrator(database, migrations.reversed())
      #expect(try await migrator.migrate(upTo: 1).versioned == [migrations[0]])
      #expect(try await migrator.migrate().versioned == [migrations[1], migrations[2]])
      #expect(try await migrator.migrate().isEmpty)
      try await database.withConnection { connection in
        #expect(try await connection.column("SELECT name FROM account") == ["Zoë"])
        let checksums = try await connection.column(
          "SELECT checksum FROM \"our \"\"own\"\" schema\".schema_migrations WHERE version = 2",
          as: String.self
        )
        // printf '%s' 'ALTER TABLE public.account ADD name text;' | sha256sum
        #expect(
          checksums == ["cbbbcc6c9fe87650d8a9e3d9f93e33f939af050890cdd2a27d7f471153143857"]
        )
      }
    }
  }

  @Test func `the status lists applied and pending migrations, and changes nothing`() async throws {
    try await TestDatabase.with { database in
      let migrator = try migrator(database, migrations)
      let before = try await migrator.status()
      #expect(before.applied.isEmpty)
      #expect(before.pending.versioned == migrations)
      try await database.withConnection { connection in
        let schemas = try await connection.column(
          "SELECT count(*) FROM pg_namespace WHERE nspname ~ '^our'",
          as: Int.self
        )
        #expect(schemas == [0])
      }
      _ = try await migrator.migrate(upTo: 2)
      let after = try await migrator.status()
      #expect(after.applied.map(\.name) == ["accounts", "names"])
      #expect(after.pending.versioned == [migrations[2]])
    }
  }

  @Test
  func `a failing migration rolls back all migrations, and the error names it`() async throws {
    try await TestDatabase.with { database in
      let broken = Migration(
        version: 2,
        name: "broken",
        sql: "CREATE TABLE public.halfway (); SELECT * FROM public.nowhere;"
      )
      let migrator = try migrator(database, [migrations[0], broken])
      let error = try await failure { _ = try await migrator.migrate() }
      #expect(error?.code == .failed)
      #expect(error?.message == "migration 2 (broken) failed")
      #expect(error?.cause?.code == .server(.undefinedTable))
      #expect(try await migrator.status().applied.isEmpty)
      try await database.withConnection { connection in
        let isMissing = try await connection.column(
          "SELECT to_regclass('public.account') IS NULL AND to_regclass('public.halfway') IS NULL",
          as: Bool.self
        )
        #expect(isMissing == [true])
      }
    }
  }

  @Test func `a commit without an answer has an unknown outcome, and one that fails has no effect`()
    async throws
  {
    // The trigger runs at the commit.
    func migrations(_ body: String) -> [Migration] {
      [
        Migration(
          version: 1, name: "trigger",
          sql: """
            CREATE TABLE public.account (id int8);
            CREATE FUNCTION public.act() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN \(body); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER act AFTER INSERT ON public.account
              DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.act();
            INSERT INTO public.account VALUES (1);
            """)
      ]
    }
    try await TestDatabase.with { database in
      for (body, code) in [
        ("PERFORM pg_terminate_backend(pg_backend_pid())", MigrationError.Code.uncertain),
        ("RAISE 'refused'", .failed),
      ] {
        let error = try await failure { try await migrator(database, migrations(body)).migrate() }
        #expect(error?.code == code)
        #expect(error?.message.contains("migration 1") == false)
      }
    }
  }

  @Test func `a migration that ends its own transaction is refused`() async throws {
    try await TestDatabase.with { database in
      let migrator = try migrator(
        database,
        [Migration(version: 1, name: "commits", sql: "SELECT 1; COMMIT;")]
      )
      let error = try await failure { _ = try await migrator.migrate() }
      #expect(error?.code == .failed)
      #expect(error?.cause?.code == .transactionAborted)
      #expect(try await migrator.status().applied.isEmpty)
    }
  }

  @Test func `a changed migration and a newer database are refused`() async throws {
    try await TestDatabase.with { database in
      _ = try await migrator(database, migrations).migrate(upTo: 2)
      var changed = migrations
      changed[1] = Migration(
        version: 2, name: "names", sql: "ALTER TABLE public.account ADD nom text;")
      let other = try migrator(database, changed)
      let change = try await failure { _ = try await other.migrate() }
      #expect(change?.code == .changed)
      #expect(change?.message.contains("2 (names)") == true)
      #expect(try await failure { _ = try await other.status() } == change)
      let older = try migrator(database, [migrations[0]])
      let newer = try await failure { _ = try await older.migrate() }
      #expect(newer?.code == .databaseIsNewer)
      let unknown = try await failure {
        _ = try await migrator(database, migrations).migrate(upTo: 4)
      }
      #expect(unknown?.code == .unknownVersion)
    }
  }

  @Test func `a search path that a migration sets does not affect the next one`() async throws {
    try await TestDatabase.with { database in
      let migrator = try migrator(
        database,
        [
          Migration(
            version: 1, name: "sets",
            sql: "SET LOCAL search_path = public; CREATE TABLE account ()"),
          Migration(
            version: 2, name: "expects",
            sql: """
              DO $$ BEGIN
                ASSERT current_setting('search_path') = 'pg_catalog, pg_temp';
              END $$; SET LOCAL search_path = public
              """),
        ],
        RepeatableMigrations(
          revision: 1,
          migrations: [
            RepeatableMigration(
              name: "expects",
              sql:
                "DO $$ BEGIN ASSERT current_setting('search_path') = 'pg_catalog, pg_temp'; END $$"
            )
          ]))
      let applied = try await migrator.migrate()
      #expect(applied.versioned.count == 2 && applied.repeatable.count == 1)
    }
  }

  @Test func `one of several concurrent migrators applies the migrations`() async throws {
    try await TestDatabase.with { database in
      let slow = [Migration(version: 1, name: "slow", sql: "SELECT pg_sleep(0.3)")]
      let migrator = try migrator(database, slow)
      let applied = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<4 { group.addTask { try await migrator.migrate().versioned.count } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(applied.sorted() == [0, 0, 0, 1])
    }
  }

  @Test func `the statement timeout does not end a migration`() async throws {
    try await TestDatabase.with { database in
      var configuration = database.configuration
      configuration.statementTimeout = .milliseconds(50)
      let migrator = try Migrator(
        configuration: configuration,
        schema: "s",
        migrations: [Migration(version: 1, name: "slow", sql: "SELECT pg_sleep(0.2)")]
      )
      #expect(try await migrator.migrate().versioned.count == 1)
    }
  }

  @Test func `an unreachable database is reported`() async throws {
    let migrator = try Migrator(
      configuration: PostgresConfiguration(
        url: "postgresql:///db?host=/nonexistent",
        applicationName: "test"
      ),
      schema: "s",
      migrations: migrations
    )
    let error = try await failure { _ = try await migrator.status() }
    #expect(error?.code == .database)
    #expect(error?.cause?.code == .connectionUnavailable)
  }
}

@Suite struct MigrationPlanTests {
  private func list(_ versions: Int...) -> [Migration] {
    versions.map { Migration(version: $0, name: "m\($0)", sql: "") }
  }

  @Test func `a duplicate version is refused, and gaps and any order are accepted`() throws {
    let error = #expect(throws: MigrationError.self) { _ = try MigrationPlan(list(1, 2, 1), .none) }
    #expect(error?.code == .invalidList)
    #expect(try MigrationPlan(list(7, 0, 8), .none).versioned.map(\.version) == [0, 7, 8])
    #expect(try MigrationPlan(list(3, 1, 2), .none).versioned.map(\.version) == [1, 2, 3])
    #expect(try MigrationPlan([], .none).versioned.isEmpty)
  }

  @Test func `a duplicate name of a repeatable migration is refused`() {
    let migration = RepeatableMigration(name: "f", sql: "")
    let error = #expect(throws: MigrationError.self) {
      _ = try MigrationPlan(
        [], RepeatableMigrations(revision: 1, migrations: [migration, migration]))
    }
    #expect(error?.code == .invalidList)
  }
}

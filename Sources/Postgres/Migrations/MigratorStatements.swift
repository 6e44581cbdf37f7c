/// The SQL statements of the migrator, for the schema of its record.
struct MigratorStatements: Sendable {
  let schema: String

  private func quoted(_ identifier: String) -> String {
    "\""
      + identifier.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }

  /// The qualified and quoted name of the table of versioned migrations.
  var versionedTable: String { quoted(schema) + ".schema_migrations" }

  /// The qualified and quoted name of the table of repeatable migrations.
  var repeatableTable: String { quoted(schema) + ".repeatable_migrations" }

  // A transaction-level lock cannot be left behind in a session that a pooler shares.
  let lock: Statement =
    "SELECT pg_advisory_xact_lock(hashtextextended('schema_migrations ' || $1, 0))"

  func setLockTimeout(_ timeout: Duration) -> Statement {
    Statement("SET LOCAL lock_timeout = \(max(Int64(timeout / .milliseconds(1)), 1))")
  }

  static let searchPath = "pg_catalog, pg_temp"

  /// Resets the search path that the previous migration may have set.
  let setSearchPath = Statement("SET LOCAL search_path = \(searchPath)")

  let backendProcessID: Statement = "SELECT pg_backend_pid()"

  let blockingSessions: Statement = """
    SELECT blocking.pid, coalesce(application_name, ''), usename::text, xact_start
    FROM unnest(pg_blocking_pids($1)) AS blocking(pid)
    LEFT JOIN pg_stat_activity USING (pid)
    ORDER BY blocking.pid
    """

  // Only tables count: reading a view would run its owner's code.
  let tableExists: Statement = """
    SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1) AND relkind = 'r')
    """

  /// Returns a message for the schema of the record, and each object in it, that has a foreign
  /// owner.
  let foreignObjects: Statement = """
    SELECT format('%s is owned by %s, but the migrations run as %s',
      pg_describe_object(catalog, object, 0), rolname, current_user)
    FROM (
      SELECT 'pg_namespace'::regclass, oid, nspowner FROM pg_namespace WHERE nspname = $1
      UNION ALL
      SELECT 'pg_class'::regclass, pg_class.oid, relowner
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE nspname = $1 AND relkind IN ('r', 'p', 'f', 'v', 'm')
      UNION ALL
      SELECT 'pg_proc'::regclass, pg_proc.oid, proowner
      FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
      WHERE nspname = $1
    ) AS existing (catalog, object, owner)
    JOIN pg_roles ON pg_roles.oid = owner
    WHERE NOT rolsuper AND rolname <> current_user
    ORDER BY catalog = 'pg_namespace'::regclass DESC, 1
    """

  let checksums: Statement = """
    SELECT encode(sha256(convert_to(sql, 'UTF8')), 'hex')
    FROM unnest($1) WITH ORDINALITY AS given(sql, place)
    ORDER BY place
    """

  var createRecord: String {
    """
    CREATE SCHEMA IF NOT EXISTS \(quoted(schema));
    CREATE TABLE IF NOT EXISTS \(versionedTable) (
      version bigint PRIMARY KEY,
      name text NOT NULL,
      checksum text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE TABLE IF NOT EXISTS \(repeatableTable) (
      name text PRIMARY KEY,
      checksum text NOT NULL,
      revision bigint NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    """
  }

  var appliedVersioned: Statement {
    Statement(
      "SELECT version, name, checksum, applied_at FROM \(versionedTable) ORDER BY version"
    )
  }

  var appliedRepeatable: Statement {
    Statement("SELECT name, checksum, revision, applied_at FROM \(repeatableTable) ORDER BY name")
  }

  // The names are qualified, because a migration may have set another search path.
  var recordVersioned: Statement {
    Statement(
      """
      INSERT INTO \(versionedTable) (version, name, checksum)
      VALUES (
        $1, $2, pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to($3, 'UTF8')), 'hex'))
      """
    )
  }

  var recordRepeatable: Statement {
    Statement(
      """
      INSERT INTO \(repeatableTable) (name, revision, checksum)
      VALUES (
        $1, $2, pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to($3, 'UTF8')), 'hex'))
      ON CONFLICT (name) DO UPDATE SET revision = EXCLUDED.revision,
        checksum = EXCLUDED.checksum, applied_at = EXCLUDED.applied_at
      """
    )
  }

  /// Removes the repeatable migrations that are no longer in the list.
  var forgetRepeatable: Statement {
    Statement(
      """
      DELETE FROM \(repeatableTable)
      WHERE name OPERATOR(pg_catalog.<>) ALL ($1::pg_catalog.text[])
      """
    )
  }
}

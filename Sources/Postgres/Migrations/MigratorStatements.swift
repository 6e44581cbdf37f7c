/// The SQL of the migrator, for a schema.
struct MigratorStatements: Sendable {
  let schema: String

  private func quoted(_ identifier: String) -> String {
    "\""
      + identifier.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }

  /// The record, as SQL names it.
  var qualifiedTable: String { quoted(schema) + ".schema_migrations" }

  // The lock is the session's: it lasts over the transactions of all the migrations.
  let lock: Statement = "SELECT pg_advisory_lock(hashtextextended('schema_migrations ' || $1, 0))"
  let unlock: Statement =
    "SELECT pg_advisory_unlock(hashtextextended('schema_migrations ' || $1, 0))"

  let recordExists: Statement = "SELECT to_regclass($1) IS NOT NULL"

  let checksums: Statement = """
    SELECT encode(sha256(convert_to(sql, 'UTF8')), 'hex')
    FROM unnest($1) WITH ORDINALITY AS given(sql, place)
    ORDER BY place
    """

  var createRecord: String {
    """
    CREATE SCHEMA IF NOT EXISTS \(quoted(schema));
    CREATE TABLE IF NOT EXISTS \(qualifiedTable) (
      version bigint PRIMARY KEY,
      name text NOT NULL,
      checksum text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    """
  }

  var applied: Statement {
    Statement(
      "SELECT version, name, checksum, applied_at FROM \(qualifiedTable) ORDER BY version"
    )
  }

  var record: Statement {
    Statement(
      """
      INSERT INTO \(qualifiedTable) (version, name, checksum)
      VALUES ($1, $2, encode(sha256(convert_to($3, 'UTF8')), 'hex'))
      """
    )
  }
}

import Postgres
import TestSupport
import Testing

/// A role that runs its own SQL, and creates temporary objects that other roles may then use.
///
/// Temporary objects take precedence over PostgreSQL's own if a function's search path allows it.
struct Attacker: Sendable, CustomTestStringConvertible {
  let role: String
  /// True if the role can log in; otherwise another login sets the role.
  var isLogin = false

  var testDescription: String { role }

  static let all = [
    Attacker(role: "mockupd_test", isLogin: true), Attacker(role: "authenticated"),
    Attacker(role: "anon"), Attacker(role: "service_role"), Attacker(role: stranger, isLogin: true),
  ]

  /// A login that has only the privileges of `PUBLIC`.
  static let stranger = "mockupd_attacker"

  /// Creates the login ``stranger``, which stays on the server.
  static let makeStranger = """
    DO $$
    BEGIN
      CREATE ROLE \(stranger) LOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END
    $$
    """

  /// The names of types that a function may use.
  ///
  /// Some of them, such as `integer`, are keywords, for which PostgreSQL searches no schema.
  static let types = [
    "text", "uuid", "jsonb", "json", "integer", "int4", "int8", "bool", "boolean", "timestamptz",
    "numeric", "float8", "bytea", "name", "regclass", "date",
  ]

  /// Returns the name of a type in PostgreSQL's catalog.
  static func original(of type: String) -> String {
    ["integer": "int4", "boolean": "bool"][type] ?? type
  }

  /// Runs a closure with a single connection of this role, signed in as a user.
  func withSession<Value>(
    in database: MigratedDatabase, as user: String, _ body: (Pool) async throws -> Value
  ) async throws -> Value {
    var configuration = try isLogin ? database.configuration(as: role) : database.owner
    configuration.connectionCount = 1
    return try await configuration.withPool { pool in
      if !isLogin { try await pool.execute(Statement("SET ROLE \(role)")) }
      try await pool.execute(
        "SELECT set_config('request.jwt.claim.sub', $1, false)", Parameters(user))
      return try await body(pool)
    }
  }

  /// Creates the temporary objects.
  ///
  /// Their code counts its runs as another role in a sequence, which no rollback resets.
  func plant(in pool: Pool) async throws {
    try await pool.execute("CREATE SEQUENCE pg_temp.stolen")
    try await pool.execute("GRANT ALL ON SEQUENCE pg_temp.stolen TO PUBLIC")
    try await pool.execute(
      Statement(
        """
        CREATE FUNCTION pg_temp.attack() RETURNS pg_catalog.bool LANGUAGE plpgsql AS $$
        BEGIN
          IF current_user <> '\(role)' THEN
            PERFORM pg_catalog.nextval('pg_temp.stolen');
          END IF;
          RETURN true;
        END
        $$
        """))
    let relations = try await pool.lines(
      """
      SELECT DISTINCT relname FROM pg_catalog.pg_class
      JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
      WHERE nspname IN ('public', 'mockupd', 'auth') AND relkind IN ('r', 'v', 'c')
      """)
    for relation in relations {
      try await pool.execute(
        Statement("CREATE VIEW pg_temp.\"\(relation)\" AS SELECT pg_temp.attack() AS hit"))
    }
    for type in Self.types {
      try await pool.execute(
        Statement(
          """
          CREATE DOMAIN pg_temp."\(type)" AS pg_catalog.\(Self.original(of: type))
            CHECK (pg_temp.attack())
          """))
    }
    try await pool.execute("SET search_path = pg_temp, pg_catalog, public")
  }

  /// Returns the number of times that the code ran as another role.
  func hits(in pool: Pool) async throws -> Int64 {
    try await pool.query(
      "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM pg_temp.stolen"
    ) { row throws(PostgresError) in
      try row.decode(Int64.self, at: 0)
    }.first ?? -1
  }
}

import FoundationEssentials
import MockupSchema
import MockupDatabase
import Postgres
import TestSupport

/// A database like that of a Supabase project.
///
/// It has the project's roles with their attributes, the default privileges, the schema `auth` with
/// its own owner, and the event triggers.
struct SupabaseProject: Sendable {
  let database: MigratedDatabase

  /// The login that migrates a project, which is not a superuser.
  ///
  /// Supabase calls it `postgres`, which may be the superuser of the test server.
  static let migrator = "supabase_postgres"
  /// The owner of `auth`, which deletes users.
  static let authAdmin = "supabase_auth_admin"
  /// PostgREST's login.
  static let authenticator = "authenticator"

  /// Runs a closure with a project that is not migrated yet.
  static func with<Value>(
    _ body: (SupabaseProject) async throws -> Value
  ) async throws -> Value {
    try await MigratedDatabase.withoutSchema { database in
      try await database.withOwner { pool in
        // In a separate transaction, since another test may create the same roles concurrently.
        try await pool.withTransaction { transaction throws(PostgresError) in
          try await transaction.runScript(roles)
        }
        try await pool.withTransaction { transaction throws(PostgresError) in
          try await transaction.runScript(objects)
        }
      }
      return try await body(SupabaseProject(database: database))
    }
  }

  /// Applies every migration, as the project's login.
  func migrate() async throws {
    try await Schema.migrator(configuration: try database.configuration(as: Self.migrator))
      .migrate()
  }

  /// Runs a closure with a pool of connections as one of the project's logins.
  func withLogin<Value>(
    _ login: String, _ body: (Pool) async throws -> Value
  ) async throws -> Value {
    try await database.configuration(as: login).withPool(body)
  }

  // Roles are shared by all databases, and stay on the server. The roles that the test template has
  // created are not changed here.
  private static let roles = """
    DO $$
    BEGIN
      CREATE ROLE supabase_admin SUPERUSER LOGIN;
      CREATE ROLE \(migrator) CREATEDB CREATEROLE LOGIN REPLICATION BYPASSRLS;
      ALTER ROLE \(migrator) SET search_path = "$user", public, extensions;
      CREATE ROLE \(authAdmin) NOINHERIT LOGIN;
      ALTER ROLE \(authAdmin) SET search_path = auth;
      CREATE ROLE \(authenticator) LOGIN NOINHERIT;
      ALTER ROLE \(authenticator) SET statement_timeout = '8s';
      ALTER ROLE \(authenticator) SET lock_timeout = '8s';
      GRANT anon, authenticated, service_role TO \(authenticator);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END
    $$
    """

  private static let objects = """
    CREATE SCHEMA extensions;
    GRANT USAGE ON SCHEMA extensions TO PUBLIC;
    DO $$ BEGIN
      EXECUTE format('GRANT ALL ON DATABASE %I TO \(migrator)', current_database());
    END $$;
    GRANT ALL ON SCHEMA public TO \(migrator);
    GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;

    ALTER DEFAULT PRIVILEGES FOR ROLE \(migrator), supabase_admin IN SCHEMA public
      GRANT ALL ON TABLES TO \(migrator), anon, authenticated, service_role;
    ALTER DEFAULT PRIVILEGES FOR ROLE \(migrator), supabase_admin IN SCHEMA public
      GRANT ALL ON FUNCTIONS TO \(migrator), anon, authenticated, service_role;
    ALTER DEFAULT PRIVILEGES FOR ROLE \(migrator), supabase_admin IN SCHEMA public
      GRANT ALL ON SEQUENCES TO \(migrator), anon, authenticated, service_role;

    CREATE SCHEMA auth AUTHORIZATION \(authAdmin);
    SET LOCAL ROLE \(authAdmin);
    CREATE TABLE auth.users (
      instance_id uuid, id uuid PRIMARY KEY, aud varchar(255), role varchar(255),
      email varchar(255), raw_user_meta_data jsonb, created_at timestamptz, updated_at timestamptz);
    ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;
    CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
      SELECT coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
      )::uuid
    $$;
    GRANT USAGE ON SCHEMA auth TO \(migrator), anon, authenticated, service_role;
    GRANT SELECT, REFERENCES ON auth.users TO \(migrator);
    RESET ROLE;

    -- The event triggers belong to the superuser, and run as the login that sends the command.
    SET LOCAL ROLE supabase_admin;
    CREATE SCHEMA graphql_public;
    GRANT USAGE, CREATE ON SCHEMA graphql_public TO \(migrator);
    CREATE FUNCTION graphql_public.graphql(query text) RETURNS jsonb LANGUAGE sql
      AS $$ SELECT '{}'::jsonb $$;
    CREATE FUNCTION extensions.grant_pg_graphql_access() RETURNS event_trigger
      LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (
        SELECT FROM pg_event_trigger_ddl_commands() AS command
        JOIN pg_proc ON pg_proc.oid = command.objid
        WHERE command.classid = 'pg_proc'::regclass AND proname = 'resolve')
      THEN
        CREATE OR REPLACE FUNCTION graphql_public.graphql(query text) RETURNS jsonb LANGUAGE sql
          AS 'SELECT graphql.resolve(query)';
      END IF;
    END
    $$;
    CREATE FUNCTION extensions.pgrst_ddl_watch() RETURNS event_trigger LANGUAGE plpgsql
      AS $$ BEGIN NOTIFY pgrst, 'reload schema'; END $$;
    CREATE FUNCTION extensions.pgrst_drop_watch() RETURNS event_trigger LANGUAGE plpgsql
      AS $$ BEGIN NOTIFY pgrst, 'reload schema'; END $$;
    CREATE EVENT TRIGGER issue_pg_graphql_access ON ddl_command_end
      WHEN TAG IN ('CREATE FUNCTION') EXECUTE FUNCTION extensions.grant_pg_graphql_access();
    CREATE EVENT TRIGGER pgrst_ddl_watch ON ddl_command_end
      EXECUTE FUNCTION extensions.pgrst_ddl_watch();
    CREATE EVENT TRIGGER pgrst_drop_watch ON sql_drop
      EXECUTE FUNCTION extensions.pgrst_drop_watch();
    RESET ROLE;
    """
}

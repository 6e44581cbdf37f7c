import Testing

/// A check of the schema, as a query that returns the findings.
///
/// Most are checks of Supabase's database linter, under the linter's names. Its checks of usage
/// statistics and of Supabase's other services are left out.
struct Lint: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var query: String
  /// Statements after which the check fails.
  var damage: String
  var finding: String

  init(_ name: String, _ query: String, damage: String, finding: String) {
    testDescription = name
    self.query = query
    self.damage = damage
    self.finding = finding
  }

  /// The schemas of the project, of which PostgREST's roles can use only `public`.
  private static let schemas =
    "(SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'mockupd'))"

  /// Statements that create the objects of the damage statements.
  static let scratch = """
    CREATE TABLE public.scratch (id uuid PRIMARY KEY, user_id uuid);
    ALTER TABLE public.scratch ENABLE ROW LEVEL SECURITY;
    CREATE POLICY scratch_select ON public.scratch FOR SELECT TO authenticated
      USING (user_id = (SELECT auth.uid()));
    """

  static let all = performance + rowSecurity + functions + exposure

  static let performance = [
    Lint(
      "unindexed_foreign_keys",
      """
      SELECT concat_ws(' ', conrelid::regclass, conname) FROM pg_constraint AS key
      WHERE contype = 'f' AND connamespace IN \(schemas) AND NOT EXISTS (
        SELECT FROM pg_index
        WHERE indrelid = conrelid AND indisvalid
          AND (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey
          -- A lookup by the key implies that it is not null.
          AND coalesce(pg_get_expr(indpred, indrelid) = (
            SELECT format('(%I IS NOT NULL)', attname) FROM pg_attribute
            WHERE attrelid = conrelid AND attnum = conkey[1] AND cardinality(conkey) = 1), true))
      """,
      damage: "ALTER TABLE scratch ADD FOREIGN KEY (user_id) REFERENCES auth.users (id)",
      finding: "scratch scratch_user_id_fkey"),
    Lint(
      "no_primary_key",
      """
      SELECT oid::regclass FROM pg_class
      WHERE relkind IN ('r', 'p') AND relnamespace IN \(schemas)
        AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary)
      """,
      damage: "ALTER TABLE scratch DROP CONSTRAINT scratch_pkey",
      finding: "scratch"),
    Lint(
      "duplicate_index",
      """
      SELECT string_agg(indexrelid::regclass::text, ' ' ORDER BY indexrelid) FROM pg_index
      JOIN pg_class ON pg_class.oid = indrelid AND relnamespace IN \(schemas)
      GROUP BY indrelid, indkey::text, indclass::text, indcollation::text, indoption::text,
        pg_get_expr(indexprs, indrelid), pg_get_expr(indpred, indrelid)
      HAVING count(*) > 1
      """,
      damage: "CREATE INDEX scratch_again ON scratch (id)",
      finding: "scratch_pkey scratch_again"),
  ]

  static let rowSecurity = [
    Lint(
      "auth_rls_initplan",
      """
      SELECT tablename || ' ' || policyname FROM pg_policies
      WHERE regexp_replace(concat(qual, ' ', with_check),
        '\\( SELECT (auth\\.\\w+\\(\\)|current_setting\\([^()]*\\)) AS \\w+\\)', '', 'g')
        ~ '(auth\\.\\w+|current_setting)\\('
      """,
      damage: """
        CREATE POLICY slow ON scratch FOR DELETE TO authenticated
          USING (user_id = auth.uid() AND id <> (SELECT auth.uid()))
        """,
      finding: "scratch slow"),
    Lint(
      "multiple_permissive_policies",
      """
      SELECT concat_ws(' ', polrelid::regclass, rolname, command) FROM pg_policy
      JOIN pg_roles ON pg_roles.oid = ANY (polroles) OR polroles = '{0}'
      JOIN unnest(ARRAY['r', 'a', 'w', 'd']) AS command ON polcmd IN (command::"char", '*')
      WHERE polpermissive AND rolname !~ '^pg_' AND NOT rolbypassrls
        AND rolname IN ('anon', 'authenticated', 'mockupd_service')
      GROUP BY polrelid, rolname, command HAVING count(*) > 1
      """,
      damage: "CREATE POLICY more ON scratch TO authenticated USING (user_id IS NULL)",
      finding: "scratch authenticated r"),
    Lint(
      "policy_exists_rls_disabled",
      """
      SELECT DISTINCT polrelid::regclass FROM pg_policy
      JOIN pg_class ON pg_class.oid = polrelid AND NOT relrowsecurity
      """,
      damage: "ALTER TABLE scratch DISABLE ROW LEVEL SECURITY",
      finding: "scratch"),
    Lint(
      "rls_enabled_no_policy",
      """
      SELECT oid::regclass FROM pg_class
      WHERE relrowsecurity AND relnamespace IN \(schemas)
        AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid)
      """,
      damage: "DROP POLICY scratch_select ON scratch",
      finding: "scratch"),
    Lint(
      "rls_disabled_in_public",
      """
      SELECT oid::regclass FROM pg_class
      WHERE relkind IN ('r', 'p') AND NOT relrowsecurity
        AND relnamespace = 'public'::regnamespace
      """,
      damage: "ALTER TABLE scratch DISABLE ROW LEVEL SECURITY",
      finding: "scratch"),
    Lint(
      "rls_policy_always_true",
      """
      SELECT tablename || ' ' || policyname FROM pg_policies
      WHERE permissive = 'PERMISSIVE' AND cmd <> 'SELECT' AND 'true' IN (qual, with_check)
      """,
      damage: "CREATE POLICY open ON scratch FOR INSERT TO authenticated WITH CHECK (true)",
      finding: "scratch open"),
    Lint(
      "rls_references_user_metadata",
      """
      SELECT tablename || ' ' || policyname FROM pg_policies
      WHERE concat(qual, with_check) LIKE '%user_metadata%'
      """,
      damage: """
        CREATE POLICY vain ON scratch FOR DELETE TO authenticated USING (
          (SELECT current_setting('request.jwt.claims'))::jsonb -> 'user_metadata' ? 'admin')
        """,
      finding: "scratch vain"),
  ]

  static let functions = [
    Lint(
      "function_search_path_mutable",
      // The path must be exactly this one: with an empty path, temporary types take precedence over
      // PostgreSQL's own types. Functions of Supabase are left out.
      """
      SELECT p.oid::regprocedure FROM pg_proc AS p JOIN pg_roles AS owner ON owner.oid = p.proowner
      WHERE (pronamespace IN \(schemas) OR pronamespace = 'auth'::regnamespace)
        AND prokind <> 'a' AND rolname <> 'supabase_auth_admin'
        AND 'search_path=pg_catalog, pg_temp' <> ALL (coalesce(proconfig, '{}'))
      """,
      damage: """
        CREATE FUNCTION mockupd.scratch() RETURNS int LANGUAGE sql SET search_path = ''
        AS 'SELECT 1'
        """,
      finding: "mockupd.scratch()"),
    Lint(
      "supabase_event_trigger_function_name",
      // Supabase's event trigger for pg_graphql acts on a new function of this name in any schema,
      // and fails for a login that is not a superuser.
      """
      SELECT oid::regprocedure FROM pg_proc
      WHERE pronamespace IN \(schemas) AND proname = 'resolve'
      """,
      damage: "CREATE FUNCTION mockupd.resolve() RETURNS int LANGUAGE sql AS 'SELECT 1'",
      finding: "mockupd.resolve()"),
    Lint(
      "pattern_depends_on_locale",
      // \s, \d, \w and [[:class:]] match characters beyond ASCII, which no cast accepts.
      #"""
      SELECT name FROM (
        SELECT oid::regprocedure::text, prosrc FROM pg_proc WHERE pronamespace IN \#(schemas)
        UNION ALL
        SELECT oid::regclass::text, pg_get_viewdef(oid) FROM pg_class
        WHERE relkind IN ('v', 'm') AND relnamespace IN \#(schemas)
        UNION ALL
        SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace IN \#(schemas)
        UNION ALL
        SELECT policyname::text, concat(qual, with_check) FROM pg_policies
      ) AS code (name, text)
      WHERE regexp_replace(text, '--[^\n]*', '', 'g') ~* '\\[dsw]|\[:[a-z]+:\]'
      """#,
      damage: #"ALTER TABLE scratch ADD CONSTRAINT odd CHECK (id::text ~ '^\d')"#,
      finding: "odd"),
    Lint(
      "anon_security_definer_function_executable",
      """
      SELECT oid::regprocedure FROM pg_proc
      WHERE pronamespace IN \(schemas) AND prosecdef
        AND has_function_privilege('anon', oid, 'EXECUTE')
      """,
      damage: """
        CREATE FUNCTION mockupd.scratch() RETURNS int LANGUAGE sql SECURITY DEFINER
        AS 'SELECT 1'
        """,
      finding: "mockupd.scratch()"),
    Lint(
      "authenticated_security_definer_function_executable",
      // Two public functions are left out, since they check their callers themselves.
      """
      SELECT oid::regprocedure FROM pg_proc
      WHERE pronamespace IN \(schemas) AND prosecdef
        AND has_function_privilege('authenticated', oid, 'EXECUTE') AND oid::regprocedure::text
        NOT IN ('get_credit_usage(uuid,integer,integer)', 'reserve_mockup_credits(uuid,integer)')
      """,
      damage: """
        CREATE FUNCTION scratch() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
        REVOKE EXECUTE ON FUNCTION scratch() FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION scratch() TO authenticated;
        """,
      finding: "scratch()"),
  ]

  static let exposure = [
    Lint(
      "security_definer_view",
      """
      SELECT oid::regclass FROM pg_class
      WHERE relkind = 'v' AND relnamespace IN \(schemas)
        AND NOT coalesce(reloptions::text[] && '{security_invoker=true,security_invoker=on}', false)
      """,
      damage: "CREATE VIEW scratched AS SELECT id FROM scratch",
      finding: "scratched"),
    Lint(
      "auth_users_exposed",
      """
      SELECT DISTINCT ev_class::regclass FROM pg_depend
      JOIN pg_rewrite ON pg_rewrite.oid = objid
      WHERE classid = 'pg_rewrite'::regclass AND refobjid = 'auth.users'::regclass
        AND (has_table_privilege('anon', ev_class, 'SELECT')
          OR has_table_privilege('authenticated', ev_class, 'SELECT'))
      """,
      damage: """
        CREATE VIEW people WITH (security_invoker = true) AS SELECT id FROM auth.users;
        GRANT SELECT ON people TO authenticated;
        """,
      finding: "people"),
    Lint(
      "materialized_view_in_api",
      """
      SELECT oid::regclass FROM pg_class
      WHERE relkind = 'm' AND relnamespace = 'public'::regnamespace
        AND (has_table_privilege('anon', oid, 'SELECT')
          OR has_table_privilege('authenticated', oid, 'SELECT'))
      """,
      damage: """
        CREATE MATERIALIZED VIEW scratched AS SELECT id FROM scratch;
        GRANT SELECT ON scratched TO anon;
        """,
      finding: "scratched"),
    Lint(
      "foreign_table_in_api",
      "SELECT oid::regclass FROM pg_class WHERE relkind = 'f' AND relnamespace IN \(schemas)",
      damage: """
        CREATE FOREIGN DATA WRAPPER scratch;
        CREATE SERVER scratch FOREIGN DATA WRAPPER scratch;
        CREATE FOREIGN TABLE elsewhere (id uuid) SERVER scratch;
        """,
      finding: "elsewhere"),
    Lint(
      "extension_in_public",
      "SELECT extname FROM pg_extension WHERE extnamespace IN \(schemas)",
      // Every server has this extension.
      damage: "UPDATE pg_extension SET extnamespace = 'public'::regnamespace",
      finding: "plpgsql"),
    Lint(
      "unsupported_reg_types",
      """
      SELECT attrelid::regclass || ' ' || attname FROM pg_attribute
      JOIN pg_class ON pg_class.oid = attrelid AND relkind IN ('r', 'p')
      WHERE relnamespace IN \(schemas) AND atttypid::regtype::text
        IN ('regcollation', 'regconfig', 'regdictionary', 'regnamespace', 'regoper', 'regoperator',
          'regproc', 'regprocedure')
      """,
      damage: "ALTER TABLE scratch ADD called regproc",
      finding: "scratch called"),
  ]
}

-- The objects that the mockup schema requires: auth.users, auth.uid(), the roles, and the tables
-- that it refers to. Each is created only if it is missing, so that this changes nothing on
-- Supabase.

-- The functions that the migrations create run with the rights of the migrating login. Another
-- login that owned one of these objects could add a trigger to it, or replace it by a view, and so
-- run its own code with those rights.
DO $$
DECLARE
  v_found record;
BEGIN
  SELECT existing.object, owner.rolname AS owner INTO v_found
  FROM (
    SELECT 'table ' || c.oid::regclass AS object, c.relowner AS owner
    FROM pg_class AS c
    WHERE c.oid IN (
      to_regclass('auth.users'), to_regclass('public.assets'), to_regclass('public.quotes'),
      to_regclass('public.user_settings'), to_regclass('public.mockups'),
      to_regclass('public.mockup_credit_usage'), to_regclass('public.mockup_scene_templates'))
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure, p.proowner
    FROM pg_proc AS p
    WHERE p.oid IN (
      to_regprocedure('auth.uid()'), to_regprocedure('public.update_updated_at_column()'),
      to_regprocedure('public.get_credit_usage(uuid, integer, integer)'),
      to_regprocedure('public.reserve_mockup_credits(uuid, integer)'))
  ) AS existing
  JOIN pg_roles AS owner ON owner.oid = existing.owner
  WHERE NOT owner.rolsuper AND owner.rolname NOT IN (current_user, 'supabase_auth_admin')
  ORDER BY existing.object
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '% is owned by %, but the migrations run as %',
        v_found.object, v_found.owner, current_user
      USING ERRCODE = 'insufficient_privilege',
        HINT = 'Run the migrations as the owner, or change the owner.';
  END IF;
END
$$;

CREATE SCHEMA IF NOT EXISTS auth;

DO $$
DECLARE
  v_role text;
BEGIN
  FOREACH v_role IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
    LOOP
      BEGIN
        EXIT WHEN to_regrole(v_role) IS NOT NULL;
        EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', v_role);
        IF v_role = 'service_role' THEN
          ALTER ROLE service_role BYPASSRLS;
        END IF;
      EXCEPTION
        -- Roles are shared by all databases, and another database's migration has created this one
        -- meanwhile. The session's cache, which GRANT uses, may still lack it. The loop goes on
        -- until to_regrole(), which uses the cache too, finds the role.
        WHEN duplicate_object OR unique_violation THEN NULL;
      END;
    END LOOP;
  END LOOP;
END
$$;

DO $$
BEGIN
  IF to_regclass('auth.users') IS NULL THEN
    CREATE TABLE auth.users (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      email text UNIQUE,
      created_at timestamptz NOT NULL DEFAULT now()
    );
    -- If auth.users was missing, this is not Supabase, and nothing else grants these roles access.
    GRANT USAGE ON SCHEMA public, auth TO anon, authenticated, service_role;
  END IF;

  IF to_regprocedure('auth.uid()') IS NULL THEN
    -- The caller's user id, from either of the forms in which PostgREST passes the token's claims.
    CREATE FUNCTION auth.uid() RETURNS uuid
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $uid$
      SELECT coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
      )::uuid
    $uid$;
  END IF;

  IF to_regprocedure('public.update_updated_at_column()') IS NULL THEN
    CREATE FUNCTION public.update_updated_at_column() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $touch$
    BEGIN
      NEW.updated_at := now();
      RETURN NEW;
    END
    $touch$;
  END IF;
END
$$;

-- Tables of other parts of the product, with the columns that this part uses. Signed-in users read
-- their own rows and write none, since user_settings contains the budget.
DO $$
DECLARE
  v_missing text[] := ARRAY(
    SELECT name FROM unnest(ARRAY['assets', 'quotes', 'user_settings']) AS name
    WHERE to_regclass('public.' || name) IS NULL);
  v_table text;
BEGIN
  CREATE TABLE IF NOT EXISTS public.assets (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now()
  );

  CREATE TABLE IF NOT EXISTS public.quotes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now()
  );

  CREATE TABLE IF NOT EXISTS public.user_settings (
    user_id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
    -- Contains annual_mockup_budget and monthly_mockup_soft_limit, among settings of other parts.
    guardrails jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  );

  FOREACH v_table IN ARRAY v_missing LOOP
    IF v_table <> 'user_settings' THEN
      EXECUTE format('CREATE INDEX %I ON public.%I (user_id)', v_table || '_user', v_table);
    END IF;
    EXECUTE format(
      'ALTER TABLE public.%1$I ENABLE ROW LEVEL SECURITY;
      CREATE POLICY %2$I ON public.%1$I FOR SELECT TO authenticated
        USING (user_id = (SELECT auth.uid()));
      REVOKE ALL ON public.%1$I FROM PUBLIC, anon, authenticated, service_role;
      GRANT SELECT ON public.%1$I TO authenticated;
      GRANT SELECT, INSERT, UPDATE, DELETE ON public.%1$I TO service_role',
      v_table, v_table || '_select');
  END LOOP;
END
$$;

-- Who reads, writes and calls what: grants, policies, and guards for whoever writes rows directly.
--
-- The engine's functions keep these rules by themselves, and are right without the triggers: those
-- are for direct SQL, of a dashboard or of an operator.

-- Grants ------------------------------------------------------------------------------------------

-- On Supabase the roles have been given everything on each new table; what they need is less. A right
-- to make triggers would be a right to run code as whoever writes next, the engine for one.
REVOKE ALL ON public.mockups, public.mockup_credit_usage, public.mockup_scene_templates
  FROM PUBLIC, anon, authenticated, service_role;

GRANT SELECT ON public.mockups, public.mockup_credit_usage, public.mockup_scene_templates
  TO authenticated, service_role;

-- Who is signed in asks for a mockup, decides about one, and deletes one: what was generated, what
-- it cost and how it fares is for others to write.
--
-- Ids are the database's: a duplicate key would tell a user that another user has a row of that id.
GRANT INSERT (user_id, asset_id, quote_id, scene, scene_config, status) ON public.mockups
  TO authenticated;
GRANT UPDATE (status) ON public.mockups TO authenticated;
GRANT DELETE ON public.mockups, public.mockup_scene_templates TO authenticated;

GRANT INSERT (
  user_id, scene_key, name, description, dm_template_id, dm_template_url, config, preview_url,
  is_active, is_system, recommended_collections) ON public.mockup_scene_templates TO authenticated;
GRANT UPDATE (
  scene_key, name, description, dm_template_id, dm_template_url, config, preview_url, is_active,
  recommended_collections) ON public.mockup_scene_templates TO authenticated;

-- Not the ledger: that is the engine's alone.
GRANT INSERT, UPDATE, DELETE ON public.mockups, public.mockup_scene_templates TO service_role;

-- On Supabase user_settings may grant everything as well. It belongs to another part of the product, so
-- only the right to make triggers is withdrawn: mockupd.set_budget writes the table as its owner.
DO $$
BEGIN
  IF EXISTS (
    SELECT FROM pg_class AS c
    CROSS JOIN LATERAL aclexplode(c.relacl) AS granted
    WHERE c.oid = 'public.user_settings'::regclass AND granted.privilege_type = 'TRIGGER'
      AND granted.grantee <> c.relowner AND pg_has_role(c.relowner, 'USAGE'))
  THEN
    REVOKE TRIGGER ON public.user_settings FROM PUBLIC, anon, authenticated, service_role;
  END IF;
END
$$;

REVOKE ALL ON SCHEMA mockupd FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON ALL TABLES IN SCHEMA mockupd FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA mockupd FROM PUBLIC, anon, authenticated, service_role;

-- Policies ----------------------------------------------------------------------------------------

-- The subselects are evaluated once for a statement, and the bare calls were for each row.

DROP POLICY mockups_select ON public.mockups;
CREATE POLICY mockups_select ON public.mockups
  FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));

DROP POLICY mockups_insert ON public.mockups;
CREATE POLICY mockups_insert ON public.mockups
  FOR INSERT TO authenticated
  WITH CHECK (user_id = (SELECT auth.uid()) AND status = 'pending');

-- From which state, the transitions below tell.
DROP POLICY mockups_update ON public.mockups;
CREATE POLICY mockups_update ON public.mockups
  FOR UPDATE TO authenticated
  USING (user_id = (SELECT auth.uid()))
  WITH CHECK (user_id = (SELECT auth.uid()) AND status IN ('approved', 'rejected'));

DROP POLICY mockups_delete ON public.mockups;
CREATE POLICY mockups_delete ON public.mockups
  FOR DELETE TO authenticated USING (user_id = (SELECT auth.uid()));

DROP POLICY credit_usage_select ON public.mockup_credit_usage;
CREATE POLICY credit_usage_select ON public.mockup_credit_usage
  FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));

-- A row that is marked as the system's and has a user, as the first schema let there be, is that
-- user's only.
DROP POLICY scene_templates_select ON public.mockup_scene_templates;
CREATE POLICY scene_templates_select ON public.mockup_scene_templates
  FOR SELECT TO authenticated
  USING ((is_system AND user_id IS NULL) OR user_id = (SELECT auth.uid()));

DROP POLICY scene_templates_insert ON public.mockup_scene_templates;
CREATE POLICY scene_templates_insert ON public.mockup_scene_templates
  FOR INSERT TO authenticated
  WITH CHECK (user_id = (SELECT auth.uid()) AND NOT is_system);

DROP POLICY scene_templates_update ON public.mockup_scene_templates;
CREATE POLICY scene_templates_update ON public.mockup_scene_templates
  FOR UPDATE TO authenticated
  USING (user_id = (SELECT auth.uid()) AND NOT is_system)
  WITH CHECK (user_id = (SELECT auth.uid()) AND NOT is_system);

DROP POLICY scene_templates_delete ON public.mockup_scene_templates;
CREATE POLICY scene_templates_delete ON public.mockup_scene_templates
  FOR DELETE TO authenticated
  USING (user_id = (SELECT auth.uid()) AND NOT is_system);

-- Mockups without files ---------------------------------------------------------------------------

ALTER TABLE public.mockups
  ALTER COLUMN file_url SET DEFAULT '',
  ALTER COLUMN file_key SET DEFAULT '',
  ADD CONSTRAINT mockups_files_when_completed CHECK (
    status IN ('pending', 'generating', 'failed') OR (file_url <> '' AND file_key <> '')
  ) NOT VALID;

-- Checks and rows from before ---------------------------------------------------------------------

-- A check that does not hold for the rows that are there would stand in the way of whatever else
-- becomes of them: of their pins, their approval, of the deletion of their user. It is made to hold for
-- the rows that are newer than the last of those.
DO $$
DECLARE
  v_check record;
  v_last timestamptz;
BEGIN
  FOR v_check IN
    SELECT conrelid::regclass AS relation, conname AS name,
      pg_get_expr(conbin, conrelid) AS condition
    FROM pg_constraint
    WHERE contype = 'c' AND NOT convalidated AND conrelid IN (
      'public.mockup_credit_usage'::regclass, 'public.mockups'::regclass,
      'public.mockup_scene_templates'::regclass)
  LOOP
    EXECUTE format(
      'SELECT max(created_at) FROM %s WHERE NOT (%s)', v_check.relation, v_check.condition)
    INTO v_last;
    IF v_last IS NULL THEN
      EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', v_check.relation, v_check.name);
    ELSE
      EXECUTE format(
        'ALTER TABLE %1$s DROP CONSTRAINT %2$I,
          ADD CONSTRAINT %2$I CHECK (created_at <= %3$L OR (%4$s))',
        v_check.relation, v_check.name, v_last, v_check.condition);
      RAISE WARNING 'rows that are already in % do not satisfy %; it holds for rows after %',
        v_check.relation, v_check.name, v_last;
    END IF;
  END LOOP;
END
$$;

-- Transitions of a mockup -------------------------------------------------------------------------

CREATE FUNCTION mockupd.guard_mockup_status() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF (OLD.status, NEW.status) IN (
    ('pending', 'generating'), ('generating', 'completed'),
    ('completed', 'approved'), ('completed', 'rejected'),
    ('pending', 'failed'), ('generating', 'failed'),
    -- Regeneration.
    ('failed', 'pending'), ('rejected', 'pending'), ('completed', 'pending'),
    ('approved', 'pending')
  ) THEN
    RETURN NEW;
  END IF;
  -- The engine's, whose functions run as the owner: a lease that lapsed, or an attempt that is made
  -- once more; and what is completed where no approval is asked for.
  IF (OLD.status, NEW.status) IN (('generating', 'pending'), ('generating', 'approved'))
    AND pg_has_role((SELECT c.relowner FROM pg_class AS c WHERE c.oid = TG_RELID), 'USAGE')
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a mockup that is % cannot become %', OLD.status, NEW.status
    USING ERRCODE = 'check_violation', SCHEMA = 'public', TABLE = 'mockups',
      CONSTRAINT = 'mockups_status_transition';
END
$$;

CREATE TRIGGER mockups_status_transition
  BEFORE UPDATE OF status ON public.mockups
  FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
  EXECUTE FUNCTION mockupd.guard_mockup_status();

-- Whose assets and quotes -------------------------------------------------------------------------

-- Foreign keys over (user_id, asset_id) would need a unique constraint on assets and quotes, which
-- are not ours on Supabase. An asset of somebody else's and one that is not there are told in the
-- same words, so that ids cannot be tried. Only what changes is looked at: rows from before may
-- say otherwise, and must still follow when a quote of theirs is deleted.
CREATE FUNCTION mockupd.guard_mockup_owner() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_new boolean := TG_OP = 'INSERT' OR OLD.user_id IS DISTINCT FROM NEW.user_id;
BEGIN
  IF (v_new OR OLD.asset_id IS DISTINCT FROM NEW.asset_id)
    AND NOT EXISTS (
      SELECT FROM public.assets AS a WHERE a.id = NEW.asset_id AND a.user_id = NEW.user_id)
  THEN
    RAISE EXCEPTION 'user % has no asset %', NEW.user_id, NEW.asset_id
      USING ERRCODE = 'foreign_key_violation', SCHEMA = 'public', TABLE = 'mockups',
        COLUMN = 'asset_id', CONSTRAINT = 'mockups_asset_owner';
  END IF;
  IF (v_new OR OLD.quote_id IS DISTINCT FROM NEW.quote_id) AND NEW.quote_id IS NOT NULL
    AND NOT EXISTS (
      SELECT FROM public.quotes AS q WHERE q.id = NEW.quote_id AND q.user_id = NEW.user_id)
  THEN
    RAISE EXCEPTION 'user % has no quote %', NEW.user_id, NEW.quote_id
      USING ERRCODE = 'foreign_key_violation', SCHEMA = 'public', TABLE = 'mockups',
        COLUMN = 'quote_id', CONSTRAINT = 'mockups_quote_owner';
  END IF;
  RETURN NEW;
END
$$;

-- The check runs before row security does. A row that names another user is left to row security, which
-- refuses it: the check would tell what that user has.
CREATE TRIGGER mockups_owner
  BEFORE INSERT OR UPDATE OF user_id, asset_id, quote_id ON public.mockups
  FOR EACH ROW WHEN (
    CASE WHEN row_security_active('public.mockups'::regclass)
      THEN NEW.user_id = auth.uid() ELSE true END)
  EXECUTE FUNCTION mockupd.guard_mockup_owner();

-- Scene templates ---------------------------------------------------------------------------------

-- Who gives a time is believed: the service has its own, and others may not.
CREATE TRIGGER mockup_scene_templates_updated_at
  BEFORE UPDATE ON public.mockup_scene_templates
  FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at)
  EXECUTE FUNCTION public.update_updated_at_column();

-- The system's scenes change with a migration and in no other way: row level security does not hold
-- for service_role, and this does.
CREATE FUNCTION mockupd.guard_system_scene() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF (coalesce(OLD.is_system, false) OR coalesce(NEW.is_system, false))
    AND NOT pg_has_role(
      (SELECT c.relowner FROM pg_class AS c WHERE c.oid = TG_RELID), 'USAGE')
  THEN
    RAISE EXCEPTION 'scenes of the system are read-only'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN coalesce(NEW, OLD);
END
$$;

CREATE TRIGGER mockup_scene_templates_system
  BEFORE INSERT OR UPDATE OR DELETE ON public.mockup_scene_templates
  FOR EACH ROW EXECUTE FUNCTION mockupd.guard_system_scene();

-- One template of a key for a user. The first schema let there be more: those rows are kept as they
-- are, all but the one that shows outside of the index, by their ids.
DO $$
DECLARE
  v_surplus uuid[] := ARRAY(
    SELECT id
    FROM (
      SELECT id, row_number() OVER (
        PARTITION BY user_id, scene_key ORDER BY is_active DESC, created_at, id) AS place
      FROM public.mockup_scene_templates
      WHERE user_id IS NOT NULL
    ) AS templates
    WHERE place > 1
    ORDER BY id);
BEGIN
  IF v_surplus = '{}' THEN
    CREATE UNIQUE INDEX mockup_scene_templates_user_key
      ON public.mockup_scene_templates (user_id, scene_key) WHERE user_id IS NOT NULL;
  ELSE
    EXECUTE format(
      'CREATE UNIQUE INDEX mockup_scene_templates_user_key
        ON public.mockup_scene_templates (user_id, scene_key)
        WHERE user_id IS NOT NULL AND id <> ALL (%L::uuid[])', v_surplus);
    RAISE WARNING 'users have more than one template of a key; none may have more from now '
      'on, and these remain as they are: %', v_surplus;
  END IF;
END
$$;

REVOKE EXECUTE ON FUNCTION
  mockupd.guard_mockup_status(), mockupd.guard_mockup_owner(), mockupd.guard_system_scene()
FROM PUBLIC;

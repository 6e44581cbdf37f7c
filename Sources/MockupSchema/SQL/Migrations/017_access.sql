-- Rights on tables, and row level security. The rights on functions are in the files of the
-- functions.

-- Grants ------------------------------------------------------------------------------------------

-- Supabase grants all rights on each new table to its roles, which need less. A role that may
-- create triggers could run code as the next role that writes the table, for example as the
-- engine's owner.
REVOKE ALL ON public.mockups, public.mockup_credit_usage, public.mockup_scene_templates
  FROM PUBLIC, anon, authenticated, service_role;

GRANT SELECT ON public.mockups, public.mockup_credit_usage, public.mockup_scene_templates
  TO authenticated, service_role;

-- Signed-in users request, review and delete mockups. They cannot write the files, the costs and
-- the counters.
--
-- The database makes the ids: a duplicate key would reveal that another user has a row with that
-- id.
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

-- Only the engine writes the ledger.
GRANT INSERT, UPDATE, DELETE ON public.mockups, public.mockup_scene_templates TO service_role;

-- On Supabase the roles may have all rights on user_settings too. The table belongs to another part
-- of the product, so only the right to create triggers is revoked: mockupd.set_budget writes the
-- table as its owner.
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

-- Policies ----------------------------------------------------------------------------------------

-- The subselects are evaluated once in a statement. The initial schema called auth.uid() for each
-- row.

DROP POLICY mockups_select ON public.mockups;
CREATE POLICY mockups_select ON public.mockups
  FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));

DROP POLICY mockups_insert ON public.mockups;
CREATE POLICY mockups_insert ON public.mockups
  FOR INSERT TO authenticated
  WITH CHECK (user_id = (SELECT auth.uid()) AND status = 'pending');

-- The trigger mockups_status_transition checks the transition from the old status.
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

-- The initial schema allowed rows that are marked as the system's and have a user. They are visible
-- only to that user.
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

-- Scene templates: at most one for each key of a user, the requests that created them, and the
-- service's rights.

-- The initial schema allowed several templates with the same key. The index contains the one that
-- is used, and excludes the others by their ids.
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
    RAISE WARNING 'users have more than one template of a key; these templates are kept '
      'outside the unique index: %', v_surplus;
  END IF;
END
$$;

-- The request that created each template. A row outlives its template, so that a retried call does
-- not bring back a template that was deleted. Request ids are unique for a user, so that no
-- response depends on another user's requests.
CREATE TABLE mockupd.scene_template_requests (
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  template_id uuid NOT NULL, -- no foreign key: the request outlives its template
  -- The fields of the request by their names in the protocol.
  request jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, id)
);

-- The service reads all templates, and changes and deletes users' templates. It cannot change the
-- columns that identify a template.
GRANT SELECT, DELETE ON public.mockup_scene_templates TO mockupd_service;
GRANT UPDATE (
  name, description, dm_template_id, dm_template_url, config, preview_url, is_active,
  recommended_collections, updated_at) ON public.mockup_scene_templates TO mockupd_service;

CREATE POLICY scene_templates_service_select ON public.mockup_scene_templates
  FOR SELECT TO mockupd_service USING (true);
CREATE POLICY scene_templates_service_update ON public.mockup_scene_templates
  FOR UPDATE TO mockupd_service USING (NOT is_system);
CREATE POLICY scene_templates_service_delete ON public.mockup_scene_templates
  FOR DELETE TO mockupd_service USING (NOT is_system);

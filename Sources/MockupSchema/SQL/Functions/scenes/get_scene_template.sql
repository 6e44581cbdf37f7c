-- Returns a scene template that is visible to a user: one of the user's own, or the system's. If
-- p_user_id is null, only the system's are visible.
CREATE OR REPLACE FUNCTION mockupd.get_scene_template(p_user_id uuid, p_template_id uuid)
RETURNS SETOF public.mockup_scene_templates
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT t.*
  FROM public.mockup_scene_templates AS t
  WHERE t.id = p_template_id AND (t.user_id = p_user_id OR t.user_id IS NULL AND t.is_system);
END
$$;

REVOKE ALL ON FUNCTION mockupd.get_scene_template
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.get_scene_template TO mockupd_service;

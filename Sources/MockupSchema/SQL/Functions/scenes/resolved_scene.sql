-- Returns the active template for a user's mockups of a scene: the user's own, or else the
-- system's.
CREATE OR REPLACE FUNCTION mockupd.resolved_scene(p_user_id uuid, p_scene text)
RETURNS SETOF public.mockup_scene_templates
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT t.* FROM public.mockup_scene_templates AS t
  WHERE t.scene_key = p_scene AND t.is_active
    AND (t.user_id = p_user_id OR t.user_id IS NULL AND t.is_system)
  ORDER BY t.user_id NULLS LAST, t.created_at, t.id
  LIMIT 1;
END
$$;

REVOKE ALL ON FUNCTION mockupd.resolved_scene
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.resolved_scene TO mockupd_service;

-- Returns a page of the scene templates that are visible to a user, by key. For each key the user's
-- template comes before the system's. If p_user_id is null, only system templates are visible. A
-- null collection includes all. The parameters p_after_... are those of the previous page's last
-- template, or null.
CREATE OR REPLACE FUNCTION mockupd.list_scene_templates(
  p_user_id uuid,
  p_with_inactive boolean,
  p_own_only boolean,
  p_collection text,
  p_after_key text,
  p_after_is_system boolean,
  p_after_id uuid,
  p_limit bigint
) RETURNS SETOF public.mockup_scene_templates
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT t.*
  FROM public.mockup_scene_templates AS t
  WHERE (t.user_id = p_user_id OR t.user_id IS NULL AND t.is_system AND NOT p_own_only)
    AND (p_with_inactive OR t.is_active)
    AND (p_collection IS NULL OR p_collection = ANY (t.recommended_collections))
    AND (p_after_key IS NULL
      OR (t.scene_key COLLATE "C", t.is_system, t.id)
        > (p_after_key, p_after_is_system, p_after_id))
  ORDER BY t.scene_key COLLATE "C", t.is_system, t.id
  LIMIT p_limit;
END
$$;

REVOKE ALL ON FUNCTION mockupd.list_scene_templates
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.list_scene_templates TO mockupd_service;

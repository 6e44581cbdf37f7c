-- Changes a user's own scene template. A null parameter leaves its column unchanged. An empty
-- string is stored as null in a column that may be null. A new configuration derives from the
-- previous one, which the caller passes as p_previous_config. Returns one row, with one of these
-- outcomes:
--
--   updated          with the template after the change
--   config_changed   the configuration is no longer p_previous_config, and nothing was changed;
--                    with the current template
--   not_found        the user has no such template of their own
CREATE OR REPLACE FUNCTION mockupd.update_scene_template(
  p_now timestamptz,
  p_user_id uuid,
  p_template_id uuid,
  p_name text,
  p_description text,
  p_dm_template_id text,
  p_dm_template_url text,
  p_config jsonb,
  p_previous_config jsonb,
  p_preview_url text,
  p_is_active boolean,
  p_recommended_collections text[]
) RETURNS TABLE (outcome text, template public.mockup_scene_templates)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT t.* INTO template
  FROM public.mockup_scene_templates AS t
  WHERE t.id = p_template_id AND t.user_id = p_user_id AND NOT t.is_system
  FOR NO KEY UPDATE;
  outcome := CASE
    WHEN template.id IS NULL THEN 'not_found'
    WHEN p_config IS NOT NULL AND template.config IS DISTINCT FROM p_previous_config
      THEN 'config_changed'
    ELSE 'updated'
  END;
  IF outcome = 'updated' THEN
    UPDATE public.mockup_scene_templates AS t
    SET name = coalesce(p_name, t.name),
      description =
        CASE WHEN p_description IS NULL THEN t.description ELSE nullif(p_description, '') END,
      dm_template_id = coalesce(p_dm_template_id, t.dm_template_id),
      dm_template_url =
        CASE WHEN p_dm_template_url IS NULL THEN t.dm_template_url
          ELSE nullif(p_dm_template_url, '') END,
      config = coalesce(p_config, t.config),
      preview_url =
        CASE WHEN p_preview_url IS NULL THEN t.preview_url ELSE nullif(p_preview_url, '') END,
      is_active = coalesce(p_is_active, t.is_active),
      recommended_collections = coalesce(p_recommended_collections, t.recommended_collections),
      updated_at = coalesce(p_now, clock_timestamp())
    WHERE t.id = p_template_id AND t.user_id = p_user_id AND NOT t.is_system
    RETURNING t.* INTO template;
  END IF;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION mockupd.update_scene_template
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.update_scene_template TO mockupd_service;

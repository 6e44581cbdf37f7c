-- Creates a user's template with the id p_template_id. Returns one row, with one of these outcomes:
--
--   made                with the current template; replayed is true if the request id was used
--                       before
--   conflicting_FIELD   the request id was used before with a different FIELD
--   key_taken           the user has a template with this key already
--   deleted             an earlier call created the template, and it has been deleted since
--
-- An unknown user violates a foreign key. A second template with the same key that is created at
-- the same time violates a unique index.
CREATE OR REPLACE FUNCTION mockupd.create_scene_template(
  p_now timestamptz,
  p_user_id uuid,
  p_request_id uuid,
  p_template_id uuid,
  p_scene_key text,
  p_name text,
  p_description text,
  p_dm_template_id text,
  p_dm_template_url text,
  p_config jsonb,
  p_preview_url text,
  p_is_active boolean,
  p_recommended_collections text[]
) RETURNS TABLE (outcome text, replayed boolean, template public.mockup_scene_templates)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v_request jsonb := jsonb_build_object(
    'scene_key', p_scene_key, 'name', p_name, 'description', p_description,
    'dm_template_id', p_dm_template_id, 'dm_template_url', p_dm_template_url, 'config', p_config,
    'preview_url', p_preview_url, 'is_inactive', NOT p_is_active,
    'recommended_collections', p_recommended_collections);
  v_first mockupd.scene_template_requests;
  v_field text;
  v_template public.mockup_scene_templates;
BEGIN
  p_now := coalesce(p_now, clock_timestamp());
  -- Waits for a concurrent call with the same request id.
  INSERT INTO mockupd.scene_template_requests (user_id, id, template_id, request, created_at)
  VALUES (p_user_id, p_request_id, p_template_id, v_request, p_now)
  ON CONFLICT DO NOTHING;

  IF NOT FOUND THEN
    PERFORM mockupd.wait_for_replication();
    SELECT * INTO STRICT v_first FROM mockupd.scene_template_requests
    WHERE user_id = p_user_id AND id = p_request_id;
    SELECT field.key INTO v_field
    FROM jsonb_each(v_request) AS field
    WHERE field.value IS DISTINCT FROM v_first.request -> field.key
    ORDER BY field.key LIMIT 1;
    SELECT * INTO v_template FROM public.mockup_scene_templates
    WHERE id = v_first.template_id AND user_id = p_user_id;
    RETURN QUERY SELECT
      CASE
        WHEN v_field IS NOT NULL THEN 'conflicting_' || v_field
        WHEN v_template.id IS NULL THEN 'deleted'
        ELSE 'made'
      END,
      true, v_template;
    RETURN;
  END IF;

  IF EXISTS (
    SELECT FROM public.mockup_scene_templates
    WHERE user_id = p_user_id AND scene_key = p_scene_key
  ) THEN
    DELETE FROM mockupd.scene_template_requests WHERE user_id = p_user_id AND id = p_request_id;
    RETURN QUERY SELECT 'key_taken', false, NULL::public.mockup_scene_templates;
    RETURN;
  END IF;

  INSERT INTO public.mockup_scene_templates (
    id, user_id, scene_key, name, description, dm_template_id, dm_template_url, config, preview_url,
    is_active, is_system, recommended_collections, created_at, updated_at)
  VALUES (
    p_template_id, p_user_id, p_scene_key, p_name, nullif(p_description, ''), p_dm_template_id,
    nullif(p_dm_template_url, ''), p_config, nullif(p_preview_url, ''), p_is_active, false,
    p_recommended_collections, p_now, p_now)
  RETURNING * INTO v_template;
  RETURN QUERY SELECT 'made', false, v_template;
END
$$;

REVOKE ALL ON FUNCTION mockupd.create_scene_template
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.create_scene_template TO mockupd_service;

-- Deletes a user's own scene template, and returns whether it existed.
CREATE OR REPLACE FUNCTION mockupd.delete_scene_template(p_user_id uuid, p_template_id uuid)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_deleted boolean;
BEGIN
  DELETE FROM public.mockup_scene_templates AS t
  WHERE t.id = p_template_id AND t.user_id = p_user_id AND NOT t.is_system;
  v_deleted := FOUND;
  IF NOT v_deleted THEN
    -- An earlier attempt of this call may have deleted it.
    PERFORM mockupd.wait_for_replication();
  END IF;
  RETURN v_deleted;
END
$$;

REVOKE ALL ON FUNCTION mockupd.delete_scene_template
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.delete_scene_template TO mockupd_service;

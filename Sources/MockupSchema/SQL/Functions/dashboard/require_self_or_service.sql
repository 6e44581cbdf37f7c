-- Raises an error unless the caller may access a user's credits. The user and the services may.
--
-- In a SECURITY DEFINER function, only the role that the session has set identifies the caller. If
-- it has set none, the caller is the login itself.
CREATE OR REPLACE FUNCTION mockupd.require_self_or_service(p_user_id uuid)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_caller text := coalesce(nullif(current_setting('role', true), 'none'), session_user);
BEGIN
  -- USAGE, not MEMBER: PostgREST's login is a member of every role, and inherits none.
  IF p_user_id = auth.uid()
    OR pg_has_role(v_caller, 'service_role', 'USAGE')
    OR pg_has_role(v_caller, 'mockupd_service', 'USAGE')
  THEN
    RETURN;
  END IF;
  RAISE EXCEPTION 'only the user or a service may access a user''s credits'
    USING ERRCODE = 'insufficient_privilege';
END
$$;

REVOKE ALL ON FUNCTION mockupd.require_self_or_service
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

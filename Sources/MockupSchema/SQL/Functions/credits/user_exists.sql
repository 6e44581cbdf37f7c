-- Returns whether a user exists.
CREATE OR REPLACE FUNCTION mockupd.user_exists(p_user_id uuid)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM auth.users AS u WHERE u.id = p_user_id)
$$;

REVOKE ALL ON FUNCTION mockupd.user_exists
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.user_exists TO mockupd_service;

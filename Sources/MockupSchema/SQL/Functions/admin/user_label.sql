-- Returns the label under which administrators know a user, or null. The label is the user's e-mail
-- address, if auth.users has the column email and the migrating login may read it.
--
-- You may replace this function, for example by one that reads a table of your own. Keep its
-- signature, SECURITY DEFINER and the search path. A later version of mockupd does not replace your
-- function unless the text of this file changes.
CREATE OR REPLACE FUNCTION mockupd.user_label(p_user_id uuid)
RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT u.email FROM auth.users AS u WHERE u.id = p_user_id);
EXCEPTION
  WHEN undefined_table OR undefined_column OR insufficient_privilege THEN
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION mockupd.user_label
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.user_label TO mockupd_service;

-- Returns up to p_limit users whose label (mockupd.user_label) is exactly p_label, ordered by id.
--
-- Reads the labels of all users, since any function may make the labels. 100,000 users take about
-- half a second.
CREATE OR REPLACE FUNCTION mockupd.find_users(p_label text, p_limit integer)
RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT u.id FROM auth.users AS u
  WHERE mockupd.user_label(u.id) = p_label
  ORDER BY u.id
  LIMIT p_limit;
END
$$;

REVOKE ALL ON FUNCTION mockupd.find_users
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.find_users TO mockupd_service;

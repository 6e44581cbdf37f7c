-- Returns the discrepancies that mockupd.verify_counters finds for the next p_limit users after
-- p_after, in the order of their ids: a row for each discrepancy, or one row with nulls for a user
-- without any.
CREATE OR REPLACE FUNCTION mockupd.verify_users(p_after uuid, p_limit integer)
RETURNS TABLE (user_id uuid, year integer, discrepancy text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT next.id, found.year, found.discrepancy
  FROM (
    SELECT u.id FROM auth.users AS u
    WHERE p_after IS NULL OR u.id > p_after
    ORDER BY u.id
    LIMIT p_limit
  ) AS next
  LEFT JOIN LATERAL mockupd.verify_counters(next.id) AS found ON true
  ORDER BY next.id, found.year, found.discrepancy;
END
$$;

REVOKE ALL ON FUNCTION mockupd.verify_users
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.verify_users TO mockupd_service;

-- Returns the p_unresolved newest unresolved reservations of a user in a year. If p_unresolved is
-- the counter of unresolved reservations, all of them are returned.
--
-- Reads reservations from the newest to older ones, as mockupd.open_reservations() does.
CREATE OR REPLACE FUNCTION mockupd.unresolved_of_year(
  p_user_id uuid, p_year integer, p_unresolved bigint
) RETURNS SETOF mockupd.reservations
LANGUAGE plpgsql STABLE ROWS 10
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
BEGIN
  RETURN QUERY
  SELECT r.* FROM mockupd.reservations AS r
  WHERE r.user_id = p_user_id AND r.created_at > '-infinity' -- the condition of the index
    AND r.year = p_year AND r.state = 'unresolved'
  ORDER BY r.created_at DESC
  LIMIT p_unresolved;
END
$$;

REVOKE ALL ON FUNCTION mockupd.unresolved_of_year
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

-- Returns the p_open newest reservations of a user in a year that are held or dispatched. If p_open
-- is the counter of open reservations, all of them are returned.
--
-- Reads reservations from the newest to older ones until it has found p_open, so it does not read
-- the whole history. With the settings of the function, PostgreSQL can use only this plan.
CREATE OR REPLACE FUNCTION mockupd.open_reservations(p_user_id uuid, p_year integer, p_open bigint)
RETURNS SETOF mockupd.reservations
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
    AND r.year = p_year AND r.state IN ('held', 'dispatched')
  ORDER BY r.created_at DESC
  LIMIT p_open;
END
$$;

REVOKE ALL ON FUNCTION mockupd.open_reservations
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

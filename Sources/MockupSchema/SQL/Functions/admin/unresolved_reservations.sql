-- Returns the reservations of all users that are unresolved at p_now, also if their expiry has not
-- been recorded yet. Such a reservation is unresolved since expires_at. Writes nothing.
--
-- No index contains the state of a reservation. The counters have the number of each year's
-- unresolved reservations, and an index of the years that have any. The reservations of these years
-- are read from the newest until that many are found.
CREATE OR REPLACE FUNCTION mockupd.unresolved_reservations(p_now timestamptz)
RETURNS SETOF mockupd.reservations
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
-- With these settings, PostgreSQL can use only the plan above.
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
BEGIN
  RETURN QUERY
  SELECT r.*
  FROM mockupd.credit_counters AS c
  CROSS JOIN LATERAL (
    SELECT r.* FROM mockupd.reservations AS r
    WHERE r.user_id = c.user_id AND r.created_at > '-infinity' -- the condition of the index
      AND r.year = c.year AND r.state = 'unresolved'
    ORDER BY r.created_at DESC
    LIMIT c.unresolved
  ) AS r
  WHERE c.unresolved > 0
  UNION ALL
  SELECT r.*
  FROM mockupd.credit_counters AS c
  CROSS JOIN LATERAL mockupd.open_reservations(c.user_id, c.year, c.open) AS r
  WHERE c.due_at <= p_now AND c.open > 0 AND r.state = 'dispatched' AND r.expires_at <= p_now;
END
$$;

REVOKE ALL ON FUNCTION mockupd.unresolved_reservations
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

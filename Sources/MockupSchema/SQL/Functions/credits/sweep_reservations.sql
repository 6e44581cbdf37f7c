-- Examines at most p_limit counters, those with the earliest due times, and expires the due
-- reservations of their users and years. The sweeper calls it for users whose credits no call uses.
-- Returns one row: the number of counters examined, the number of reservations expired, and the
-- latest due time of these counters. If it examined none, nothing is due, except counters that
-- other sessions have locked.
--
-- Most of these counters have nothing to expire: settling a reservation does not change due_at, so
-- the sweep corrects it. A caller examines any number of counters in batches, each with one call
-- and one transaction. p_after, the last_due_at of the previous call or null, skips the index
-- entries that earlier calls have left behind.
--
-- The function never waits: it skips counters that another session has locked, and a later sweep
-- finds them. So it needs no order of locks.
--
-- A proxy database passes the call on to the partition p_partition.
CREATE OR REPLACE FUNCTION mockupd.sweep_reservations(
  p_now timestamptz, p_after timestamptz, p_limit integer, p_partition integer DEFAULT 0
) RETURNS TABLE (years integer, expired bigint, last_due_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_user_ids uuid[];
  v_years integer[];
BEGIN
  p_now := coalesce(p_now, clock_timestamp());
  SELECT array_agg(claimed.user_id), array_agg(claimed.year), max(claimed.due_at)
  INTO v_user_ids, v_years, last_due_at
  FROM (
    -- PostgreSQL skips locked rows before it applies the limit, so they do not count.
    SELECT c.user_id, c.year, c.due_at
    FROM mockupd.credit_counters AS c
    WHERE c.due_at BETWEEN coalesce(p_after, '-infinity') AND p_now
    ORDER BY c.due_at
    LIMIT p_limit
    FOR NO KEY UPDATE SKIP LOCKED
  ) AS claimed;

  years := coalesce(cardinality(v_years), 0);
  -- A separate statement, so that it sees the changes of sessions that held the locks before.
  expired := CASE WHEN years > 0 THEN mockupd.expire_due(p_now, v_user_ids, v_years) ELSE 0 END;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION mockupd.sweep_reservations
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.sweep_reservations TO mockupd_service;

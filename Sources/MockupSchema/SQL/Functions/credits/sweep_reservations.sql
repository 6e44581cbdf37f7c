-- Expires one batch of reservations that are due: all that are due in at most p_limit users' years, those
-- that have been due longest first. The sweeper calls it for users whose credits nobody uses. One row: the
-- number of years it checked, the number of reservations it expired, and the last year's due time. 0 years:
-- nothing is due except what other sessions have locked.
--
-- Most years have nothing to expire: a settled reservation leaves due_at as it was, and the sweep moves it.
-- A caller works through any number of years with one call, and so one transaction, for each batch.
-- p_after, the last call's due time or null, skips the index entries that the earlier calls left behind.
--
-- It never waits: counters that another session has locked are skipped, and a later sweep finds them. So
-- it needs no order of locks either.
CREATE OR REPLACE FUNCTION mockupd.sweep_reservations(p_now timestamptz, p_after timestamptz, p_limit integer)
RETURNS TABLE (years integer, expired bigint, last_due_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_user_ids uuid[];
  v_years integer[];
BEGIN
  SELECT array_agg(claimed.user_id), array_agg(claimed.year), max(claimed.due_at)
  INTO v_user_ids, v_years, last_due_at
  FROM (
    -- Locked rows are skipped before they are counted, so that they never use up the limit.
    SELECT c.user_id, c.year, c.due_at
    FROM mockupd.credit_counters AS c
    WHERE c.due_at BETWEEN coalesce(p_after, '-infinity') AND p_now
    ORDER BY c.due_at
    LIMIT p_limit
    FOR NO KEY UPDATE SKIP LOCKED
  ) AS claimed;

  years := coalesce(cardinality(v_years), 0);
  -- A separate statement, which sees what the sessions wrote that had the lock before.
  expired := CASE WHEN years > 0 THEN mockupd.expire_due(p_now, v_user_ids, v_years) ELSE 0 END;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION mockupd.sweep_reservations
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.sweep_reservations TO mockupd_service;

-- Expiry is decided by the clock when a user's credits are next touched. The sweeper does it for users
-- whom nobody touches, so that what is due shows as what it is.

-- Expires one batch of what is due: everything that is due in at most p_limit users' years, the one
-- that has waited longest first. One row: how many years it looked at, how many reservations it expired,
-- and the last year's due time. 0 years: nothing is due that nobody else is at work on.
--
-- Most years have nothing to expire: a settled reservation leaves due_at where it was, and the sweep
-- moves it. A caller works off any number of them with a call, and so a transaction, for each batch.
-- p_after, the last call's due time or null, spares it the index entries that those calls left behind.
--
-- It never waits: counters that a spender or another sweeper has locked are skipped, and a later sweep
-- finds them. Because it never waits it needs no order of locks either.
CREATE FUNCTION mockupd.sweep_reservations(p_now timestamptz, p_after timestamptz, p_limit integer)
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
    -- Skipped before they are counted, so that they never use up the limit.
    SELECT c.user_id, c.year, c.due_at
    FROM mockupd.credit_counters AS c
    WHERE c.due_at BETWEEN coalesce(p_after, '-infinity') AND p_now
    ORDER BY c.due_at
    LIMIT p_limit
    FOR NO KEY UPDATE SKIP LOCKED
  ) AS claimed;

  years := coalesce(cardinality(v_years), 0);
  -- A statement of its own: it sees what those left who had the lock before.
  expired := CASE WHEN years > 0 THEN mockupd.expire_due(p_now, v_user_ids, v_years) ELSE 0 END;
  RETURN NEXT;
END
$$;

REVOKE EXECUTE ON FUNCTION
  mockupd.sweep_reservations(timestamptz, timestamptz, integer)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  mockupd.sweep_reservations(timestamptz, timestamptz, integer)
TO mockupd_service;

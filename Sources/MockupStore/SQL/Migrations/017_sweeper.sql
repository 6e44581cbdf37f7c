-- Expiry is decided by the clock when a user's credits are next touched. The sweeper does it for those
-- whom nobody touches: what is due shows as what it is, and what hangs on it goes on.

-- Expires what is due of some users, those first who have waited longest: all that is due in p_limit
-- users' years at most. Returns how many reservations that were; 0 where nothing is due that nobody else
-- is at work on.
--
-- It never waits: whose counters somebody has locked is passed over, a spender or another sweeper, and
-- a later round finds what they left. Who never waits needs no order of locks either.
CREATE FUNCTION mockupd.sweep_reservations(p_now timestamptz, p_limit integer)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_user_ids uuid[];
  v_years integer[];
  v_swept integer := 0;
BEGIN
  -- What was due to end may have been settled meanwhile. Whose counters say so no longer is not found
  -- again, and the next ones are.
  LOOP
    SELECT array_agg(claimed.user_id), array_agg(claimed.year) INTO v_user_ids, v_years
    FROM (
      -- Passed over before they are counted, so that the limit is never used up by them.
      SELECT c.user_id, c.year
      FROM mockupd.credit_counters AS c
      WHERE c.due_at <= p_now
      ORDER BY c.due_at
      LIMIT p_limit
      FOR NO KEY UPDATE SKIP LOCKED
    ) AS claimed;
    EXIT WHEN v_user_ids IS NULL;
    -- A statement of its own: it sees what those left who had the lock before.
    v_swept := mockupd.expire_due(p_now, v_user_ids, v_years);
    EXIT WHEN v_swept > 0;
  END LOOP;
  RETURN v_swept;
END
$$;

REVOKE EXECUTE ON FUNCTION mockupd.sweep_reservations(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mockupd.sweep_reservations(timestamptz, integer) TO mockupd_service;

-- Locks the counters of p_user_ids in p_years, ordered by user and year, expires their reservations
-- that are due, and returns the counters after that. Missing counters are left out.
--
-- Every change of a user's credits begins with this function. No other session can change what
-- later statements of the transaction read about these users and years.
--
-- Also returns the time of the change: p_now, or if it is null the time of the database, read when
-- all locks are held. So the changes of one user have ascending times, whatever the order was in
-- which their sessions began, unless the clock of the database is set back.
CREATE OR REPLACE FUNCTION mockupd.lock_counters(
  INOUT p_now timestamptz, p_user_ids uuid[], p_years integer[],
  OUT counters mockupd.credit_counters[]
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  v_due_at timestamptz;
BEGIN
  SELECT coalesce(array_agg(locked.counters), '{}'), min(locked.due_at)
  INTO counters, v_due_at
  FROM (
    SELECT c AS counters, c.due_at FROM mockupd.credit_counters AS c
    WHERE c.user_id = ANY (p_user_ids) AND c.year = ANY (p_years)
    ORDER BY c.user_id, c.year
    FOR NO KEY UPDATE
  ) AS locked;

  p_now := coalesce(p_now, clock_timestamp());
  IF v_due_at <= p_now THEN
    PERFORM mockupd.expire_due(p_now, array_agg(c.user_id), array_agg(c.year))
    FROM unnest(counters) AS c
    WHERE c.due_at <= p_now;
    counters := mockupd.refresh_counters(counters);
  END IF;
END
$$;

REVOKE ALL ON FUNCTION mockupd.lock_counters
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

-- Locks the counters of p_user_ids in p_years, ordered by user and year, expires their reservations
-- that are due at p_now, and returns the counters after that. Missing counters are left out.
--
-- Every change of a user's credits begins with this function. No other session can change what
-- later statements of the transaction read about these users and years.
CREATE OR REPLACE FUNCTION mockupd.lock_counters(
  p_now timestamptz, p_user_ids uuid[], p_years integer[]
) RETURNS mockupd.credit_counters[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
DECLARE
  v_counters mockupd.credit_counters[];
  v_due_users uuid[];
  v_due_years integer[];
BEGIN
  -- The conditions on due_at must be filters of the aggregates. PostgreSQL would apply a WHERE
  -- before the lock, and would not lock the other rows.
  SELECT coalesce(array_agg(locked.counters), '{}'),
    array_agg(locked.user_id) FILTER (WHERE locked.due_at <= p_now),
    array_agg(locked.year) FILTER (WHERE locked.due_at <= p_now)
  INTO v_counters, v_due_users, v_due_years
  FROM (
    SELECT c AS counters, c.user_id, c.year, c.due_at FROM mockupd.credit_counters AS c
    WHERE c.user_id = ANY (p_user_ids) AND c.year = ANY (p_years)
    ORDER BY c.user_id, c.year
    FOR NO KEY UPDATE
  ) AS locked;

  IF v_due_users IS NOT NULL THEN
    PERFORM mockupd.expire_due(p_now, v_due_users, v_due_years);
    v_counters := mockupd.refresh_counters(v_counters);
  END IF;
  RETURN v_counters;
END
$$;

REVOKE ALL ON FUNCTION mockupd.lock_counters
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

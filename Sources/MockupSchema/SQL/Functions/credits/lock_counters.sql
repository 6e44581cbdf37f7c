-- Locks the counters of p_user_ids in p_years in one order, expires the reservations in them that are
-- due at p_now, and returns the counters as they are then. Counters that do not exist are left out.
--
-- Every change of a user's credits begins here. What a later statement of the transaction reads about
-- these users and years no other session can change.
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
  -- A condition on due_at belongs in the aggregates: as a WHERE it would be checked below the lock,
  -- and the other rows would not be locked.
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

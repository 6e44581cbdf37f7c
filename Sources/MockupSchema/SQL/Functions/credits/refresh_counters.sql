-- Returns the current values of counters that the transaction has locked and then changed.
CREATE OR REPLACE FUNCTION mockupd.refresh_counters(p_locked mockupd.credit_counters[])
RETURNS mockupd.credit_counters[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
  RETURN (
    SELECT array_agg(c)
    FROM unnest(p_locked) AS locked
    JOIN mockupd.credit_counters AS c ON c.user_id = locked.user_id AND c.year = locked.year);
END
$$;

REVOKE ALL ON FUNCTION mockupd.refresh_counters
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

-- Locks the counters of all of a user's years, after making those of p_now's year if they are
-- missing. Returns these years; none for an unknown user.
CREATE OR REPLACE FUNCTION mockupd.lock_user(p_now timestamptz, p_user_id uuid)
RETURNS integer[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
DECLARE
  v_counters mockupd.credit_counters[];
BEGIN
  PERFORM mockupd.make_counters(
    ARRAY[p_user_id], extract(year FROM p_now AT TIME ZONE 'UTC')::integer);
  v_counters := mockupd.lock_counters(
    p_now, ARRAY[p_user_id],
    ARRAY(SELECT c.year FROM mockupd.credit_counters AS c WHERE c.user_id = p_user_id));
  RETURN ARRAY(SELECT c.year FROM unnest(v_counters) AS c);
END
$$;

REVOKE ALL ON FUNCTION mockupd.lock_user
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

-- Locks the counters of all of a user's years, after making those of the current year if they are
-- missing. Returns these years, none for an unknown user, and the time of the change as
-- mockupd.lock_counters does.
CREATE OR REPLACE FUNCTION mockupd.lock_user(
  INOUT p_now timestamptz, p_user_id uuid, OUT years integer[]
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  v_year integer := extract(year FROM coalesce(p_now, clock_timestamp()) AT TIME ZONE 'UTC');
  v_counters mockupd.credit_counters[];
BEGIN
  PERFORM mockupd.make_counters(ARRAY[p_user_id], v_year);
  SELECT l.p_now, l.counters INTO p_now, v_counters
  FROM mockupd.lock_counters(
    p_now, ARRAY[p_user_id],
    ARRAY(SELECT c.year FROM mockupd.credit_counters AS c WHERE c.user_id = p_user_id)) AS l;
  PERFORM mockupd.require_year(p_now, v_year);
  years := ARRAY(SELECT c.year FROM unnest(v_counters) AS c);
END
$$;

REVOKE ALL ON FUNCTION mockupd.lock_user
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

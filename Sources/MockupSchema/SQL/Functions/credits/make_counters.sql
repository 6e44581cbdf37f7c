-- Makes the missing counters of p_user_ids in a year. Unknown users get none.
--
-- Waits for other sessions that make the same counters. So the caller must not hold locks on
-- counters yet: the other sessions may wait for those, which would be a deadlock.
CREATE OR REPLACE FUNCTION mockupd.make_counters(p_user_ids uuid[], p_year integer)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
  IF (
    SELECT count(*) FROM mockupd.credit_counters AS c
    WHERE c.user_id = ANY (p_user_ids) AND c.year = p_year
  ) < (SELECT count(DISTINCT u) FROM unnest(p_user_ids) AS u) THEN
    INSERT INTO mockupd.credit_counters (user_id, year)
    SELECT u.id, p_year FROM auth.users AS u WHERE u.id = ANY (p_user_ids) ORDER BY u.id
    ON CONFLICT DO NOTHING;
  END IF;
END
$$;

REVOKE ALL ON FUNCTION mockupd.make_counters
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

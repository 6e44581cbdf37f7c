-- Locks the jobs of mockups, and then the mockups, each in the order of their ids, so that sessions
-- do not wait for each other in a circle. The counters of their users are locked after them.
CREATE OR REPLACE FUNCTION mockupd.lock_mockups(p_user_ids uuid[], p_ids uuid[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
  PERFORM FROM mockupd.mockup_jobs AS j
  WHERE (j.mockup_id, j.user_id) IN (SELECT * FROM unnest(p_ids, p_user_ids))
  ORDER BY j.mockup_id
  FOR UPDATE;

  PERFORM FROM public.mockups AS m
  WHERE (m.id, m.user_id) IN (SELECT * FROM unnest(p_ids, p_user_ids))
  ORDER BY m.id
  FOR NO KEY UPDATE;
END
$$;

REVOKE ALL ON FUNCTION mockupd.lock_mockups
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

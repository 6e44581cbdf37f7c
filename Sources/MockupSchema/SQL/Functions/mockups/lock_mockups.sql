-- Locks all that the ends of the mockups' attempts change: their jobs, the counters of their
-- reservations' years, the mockups, and their users' feeds. Each kind is locked in the order of its
-- ids, so that sessions do not wait for each other in a circle.
CREATE OR REPLACE FUNCTION mockupd.lock_mockups(
  p_now timestamptz, p_user_ids uuid[], p_ids uuid[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
SET random_page_cost = 0.01
AS $$
BEGIN
  PERFORM FROM mockupd.mockup_jobs AS j
  WHERE (j.mockup_id, j.user_id) IN (SELECT * FROM unnest(p_ids, p_user_ids))
  ORDER BY j.mockup_id
  FOR UPDATE;
  -- A single end of an attempt locks the rest in this order anyway.
  IF cardinality(p_ids) = 1 THEN
    RETURN;
  END IF;

  PERFORM mockupd.lock_counters(p_now, p_user_ids, ARRAY(
    SELECT DISTINCT r.year
    FROM unnest(p_user_ids, p_ids) AS i (user_id, id)
    JOIN mockupd.mockup_jobs AS j ON j.mockup_id = i.id AND j.user_id = i.user_id
    JOIN mockupd.reservations AS r ON r.user_id = j.user_id AND r.id = j.reservation_id));

  PERFORM FROM public.mockups AS m
  WHERE (m.id, m.user_id) IN (SELECT * FROM unnest(p_ids, p_user_ids))
  ORDER BY m.id
  FOR NO KEY UPDATE;

  -- Triggers would lock them at the end of each statement that changes mockups.
  PERFORM FROM mockupd.mockup_feeds AS f
  WHERE f.user_id = ANY (p_user_ids)
  ORDER BY f.user_id
  FOR NO KEY UPDATE;
END
$$;

REVOKE ALL ON FUNCTION mockupd.lock_mockups
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

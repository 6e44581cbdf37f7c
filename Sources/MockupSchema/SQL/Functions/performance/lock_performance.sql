-- Locks the mockups p_mockup_ids[i] of p_user_ids[i] until the transaction ends, and returns the
-- counters of those that exist. A negative counter, which rows of the initial schema may have,
-- counts as 0.
CREATE OR REPLACE FUNCTION mockupd.lock_performance(p_user_ids uuid[], p_mockup_ids uuid[])
RETURNS TABLE (mockup_id uuid, user_id uuid, total_pins integer, total_impressions integer)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
  SELECT
    m.id, m.user_id, greatest(m.total_pins, 0)::integer, greatest(m.total_impressions, 0)::integer
  FROM unnest(p_user_ids, p_mockup_ids) AS entry (user_id, id)
  JOIN public.mockups AS m ON m.id = entry.id AND m.user_id = entry.user_id
  ORDER BY m.id
  FOR NO KEY UPDATE OF m
$$;

REVOKE ALL ON FUNCTION mockupd.lock_performance
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.lock_performance TO mockupd_service;

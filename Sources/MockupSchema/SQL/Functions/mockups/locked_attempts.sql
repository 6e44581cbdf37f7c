-- Returns those of p_user_ids of whom another session has locked counters, or a mockup of p_ids or
-- its job. Never waits.
--
-- Locks the other rows until the transaction ends.
CREATE OR REPLACE FUNCTION mockupd.locked_attempts(p_user_ids uuid[], p_ids uuid[])
RETURNS TABLE (user_id uuid)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
SET random_page_cost = 0.01
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH job AS MATERIALIZED (
    SELECT j.mockup_id, j.user_id FROM mockupd.mockup_jobs AS j
    WHERE (j.mockup_id, j.user_id) IN (SELECT * FROM unnest(p_ids, p_user_ids))
    FOR UPDATE SKIP LOCKED
  ), mockup AS MATERIALIZED (
    SELECT m.id, m.user_id FROM public.mockups AS m
    WHERE (m.id, m.user_id) IN (SELECT * FROM unnest(p_ids, p_user_ids))
    FOR NO KEY UPDATE SKIP LOCKED
  )
  SELECT l.user_id FROM mockupd.locked_users(p_user_ids) AS l
  UNION
  SELECT j.user_id FROM mockupd.mockup_jobs AS j
  WHERE (j.mockup_id, j.user_id) IN (SELECT * FROM unnest(p_ids, p_user_ids))
    AND (j.mockup_id, j.user_id) NOT IN (SELECT * FROM job)
  UNION
  SELECT m.user_id FROM public.mockups AS m
  WHERE (m.id, m.user_id) IN (SELECT * FROM unnest(p_ids, p_user_ids))
    AND (m.id, m.user_id) NOT IN (SELECT * FROM mockup);
END
$$;

REVOKE ALL ON FUNCTION mockupd.locked_attempts
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.locked_attempts TO mockupd_service;

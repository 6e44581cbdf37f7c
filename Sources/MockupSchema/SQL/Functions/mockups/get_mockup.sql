-- Returns a user's mockup and its job; no row if there is no mockup with the id. A mockup that was
-- inserted directly has no job.
CREATE OR REPLACE FUNCTION mockupd.get_mockup(p_user_id uuid, p_mockup_id uuid)
RETURNS TABLE (mockup public.mockups, job mockupd.mockup_jobs)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
  RETURN QUERY
  SELECT m, j
  FROM public.mockups AS m
  LEFT JOIN mockupd.mockup_jobs AS j ON j.mockup_id = m.id AND j.user_id = m.user_id
  WHERE m.user_id = p_user_id AND m.id = p_mockup_id;
END
$$;

REVOKE ALL ON FUNCTION mockupd.get_mockup
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.get_mockup TO mockupd_service;

-- Approves or rejects a completed mockup. Outcomes:
--
--   reviewed               also if the mockup has the status already; then the first reason is kept
--   not_found              the user has no such mockup
--   wrong_state            the mockup's status does not allow it
CREATE OR REPLACE FUNCTION mockupd.review_mockup(
  p_user_id uuid, p_mockup_id uuid, p_status text, p_reason text
) RETURNS TABLE (outcome text, mockup public.mockups, job mockupd.mockup_jobs)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  SELECT j.* INTO job FROM mockupd.mockup_jobs AS j
  WHERE j.mockup_id = p_mockup_id AND j.user_id = p_user_id
  FOR UPDATE;
  SELECT m.* INTO mockup FROM public.mockups AS m
  WHERE m.id = p_mockup_id AND m.user_id = p_user_id
  FOR NO KEY UPDATE;

  outcome := CASE
    WHEN mockup.id IS NULL THEN 'not_found'
    WHEN mockup.status IN ('completed', p_status) THEN 'reviewed'
    ELSE 'wrong_state'
  END;
  IF outcome = 'reviewed' AND mockup.status <> p_status THEN
    UPDATE public.mockups AS m SET status = p_status, error_message = p_reason
    WHERE m.id = p_mockup_id AND m.user_id = p_user_id
    RETURNING m.* INTO mockup;
  END IF;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION mockupd.review_mockup
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.review_mockup TO mockupd_service;

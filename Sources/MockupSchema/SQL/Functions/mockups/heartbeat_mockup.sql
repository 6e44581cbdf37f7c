-- Renews a lease for p_lease seconds from p_now (null: from the time of the database). An expired
-- lease can be renewed until it is taken back. Outcomes:
--
--   renewed                with the new expiry in the job
--   not_found              the user has no such mockup
--   lost                   the mockup has been claimed again
--   wrong_state            the mockup's status is no longer generating
CREATE OR REPLACE FUNCTION mockupd.heartbeat_mockup(
  p_now timestamptz, p_user_id uuid, p_mockup_id uuid, p_attempt integer, p_lease integer
) RETURNS TABLE (outcome text, mockup public.mockups, job mockupd.mockup_jobs)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_expires_at timestamptz;
BEGIN
  SELECT j.* INTO job FROM mockupd.mockup_jobs AS j
  WHERE j.mockup_id = p_mockup_id AND j.user_id = p_user_id
  FOR UPDATE;
  p_now := coalesce(p_now, clock_timestamp());
  SELECT m.* INTO mockup FROM public.mockups AS m
  WHERE m.id = p_mockup_id AND m.user_id = p_user_id;

  outcome := CASE
    WHEN mockup.id IS NULL THEN 'not_found'
    WHEN job.attempt IS DISTINCT FROM p_attempt THEN 'lost'
    WHEN job.state <> 'leased' OR mockup.status <> 'generating' THEN 'wrong_state'
    ELSE 'renewed'
  END;
  IF outcome = 'renewed' THEN
    -- Keeps the reservation open longer than the lease, so that it is not resolved during the
    -- attempt.
    SELECT r.expires_at INTO v_expires_at FROM mockupd.reservations AS r
    WHERE r.user_id = p_user_id AND r.id = job.reservation_id AND r.state = 'dispatched';
    IF v_expires_at < p_now + make_interval(secs => p_lease + 3600) THEN
      PERFORM FROM mockupd.settle(
        p_now, ARRAY[p_user_id], ARRAY[job.reservation_id], ARRAY['extend'], ARRAY[NULL::uuid],
        ARRAY[NULL::integer], ARRAY[NULL::boolean], ARRAY[NULL::boolean], ARRAY[p_lease + 7200],
        ARRAY[NULL::uuid]);
    END IF;

    UPDATE mockupd.mockup_jobs AS j SET lease_expires_at = p_now + make_interval(secs => p_lease)
    WHERE j.mockup_id = p_mockup_id AND j.user_id = p_user_id
    RETURNING j.* INTO job;
  END IF;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION mockupd.heartbeat_mockup
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.heartbeat_mockup TO mockupd_service;

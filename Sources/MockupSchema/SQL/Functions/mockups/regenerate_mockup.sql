-- Requests another picture for a mockup, as a new round, and clears the results of the previous
-- round. Outcomes:
--
--   pending                with the usage after it. If the request id was used before, replayed is
--                          true, and the mockup is the current one, or null if it was deleted
--   refused                too few credits are available, and the mockup is unchanged
--   conflicting_FIELD      the request id was used before with a different FIELD
--   not_found              the user has no such mockup
--   wrong_state            the mockup's status does not allow it
CREATE OR REPLACE FUNCTION mockupd.regenerate_mockup(
  p_now timestamptz,
  p_user_id uuid,
  p_mockup_id uuid,
  p_request_id uuid,
  p_skip_approval boolean,
  p_credits integer,
  p_time_to_live integer,
  p_reservation_id uuid
) RETURNS TABLE (
  outcome text,
  replayed boolean,
  mockup public.mockups,
  job mockupd.mockup_jobs,
  reservation mockupd.reservations,
  usage mockupd.usage
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_request mockupd.regeneration_requests;
  v_admission record;
  v_now timestamptz := coalesce(p_now, clock_timestamp());
BEGIN
  replayed := false;
  -- A mockup that was inserted directly has no job yet.
  INSERT INTO mockupd.mockup_jobs (mockup_id, user_id, state, requested_at, skip_approval)
  SELECT m.id, m.user_id, 'done', v_now, false
  FROM public.mockups AS m WHERE m.id = p_mockup_id AND m.user_id = p_user_id
  ON CONFLICT DO NOTHING;

  SELECT j.* INTO job FROM mockupd.mockup_jobs AS j
  WHERE j.mockup_id = p_mockup_id AND j.user_id = p_user_id
  FOR UPDATE;

  SELECT r.* INTO v_request FROM mockupd.regeneration_requests AS r
  WHERE r.user_id = p_user_id AND r.id = p_request_id;
  IF FOUND THEN
    replayed := true;
    -- There is no job to lock if the mockup was deleted.
    PERFORM mockupd.wait_for_replication();
    outcome := CASE
      WHEN v_request.mockup_id <> p_mockup_id THEN 'conflicting_mockup_id'
      WHEN v_request.skip_approval <> p_skip_approval THEN 'conflicting_skip_approval'
      WHEN v_request.credits <> p_credits THEN 'conflicting_credits'
      WHEN v_request.time_to_live <> p_time_to_live THEN 'conflicting_time_to_live_seconds'
    END;
    IF outcome IS NOT NULL THEN
      RETURN NEXT;
      RETURN;
    END IF;
  ELSIF job.mockup_id IS NULL THEN
    outcome := 'not_found';
    RETURN NEXT;
    RETURN;
  ELSE
    SELECT m.* INTO mockup FROM public.mockups AS m
    WHERE m.id = p_mockup_id AND m.user_id = p_user_id;
    IF mockup.status NOT IN ('completed', 'failed', 'approved', 'rejected') THEN
      outcome := 'wrong_state';
      RETURN NEXT;
      RETURN;
    END IF;
    -- If two concurrent calls use the same id for two mockups, the second violates the primary key,
    -- and is retried.
    INSERT INTO mockupd.regeneration_requests
    VALUES (p_user_id, p_request_id, p_mockup_id, p_skip_approval, p_credits, p_time_to_live,
      v_now, p_reservation_id)
    RETURNING * INTO v_request;

    SELECT r.* INTO v_admission
    FROM mockupd.reserve(
      p_now, ARRAY[p_user_id], ARRAY[p_reservation_id], ARRAY[p_credits],
      ARRAY['regeneration'], ARRAY[p_time_to_live], ARRAY[p_mockup_id], ARRAY[NULL::uuid],
      ARRAY['normal']) AS r;

    IF v_admission.outcome = 'admitted' THEN
      UPDATE public.mockups AS m
      SET status = 'pending', file_url = '', file_key = '', thumbnail_url = NULL,
        dm_render_id = NULL, dm_metadata = '{}', credits_used = 0, quality_score = NULL,
        error_message = NULL
      WHERE m.id = p_mockup_id AND m.user_id = p_user_id;
      UPDATE mockupd.mockup_jobs AS j
      SET state = 'queued', requested_at = v_now, skip_approval = p_skip_approval,
        reservation_id = p_reservation_id, round_attempts = 0, may_be_charged = false,
        worker = NULL, lease_expires_at = NULL, outcome = NULL,
        outcome_credits = NULL, outcome_allow_overrun = NULL, outcome_error = NULL,
        outcome_may_be_charged = NULL
      WHERE j.mockup_id = p_mockup_id AND j.user_id = p_user_id;
    END IF;
  END IF;

  SELECT m.* INTO mockup FROM public.mockups AS m
  WHERE m.id = p_mockup_id AND m.user_id = p_user_id;
  SELECT j.* INTO job FROM mockupd.mockup_jobs AS j
  WHERE j.mockup_id = p_mockup_id AND j.user_id = p_user_id;
  SELECT r.* INTO reservation FROM mockupd.reservations AS r
  WHERE r.user_id = p_user_id AND r.id = v_request.reservation_id;
  usage := reservation.reserved_usage;
  outcome := CASE WHEN reservation.state = 'refused' THEN 'refused' ELSE 'pending' END;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION mockupd.regenerate_mockup
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.regenerate_mockup TO mockupd_service;

-- Ends an attempt that made no picture. If p_may_retry is true and attempts are left, the mockup
-- becomes pending again, and its reservation is held again until the next claim. If the reservation
-- expires first, its credits are available, and the next claim fails the mockup. If p_may_retry is
-- false or no attempts are left, the mockup fails, and its reservation is released if it is open.
--
-- If the vendor may have charged for the attempt (p_may_be_charged), or for an earlier attempt of
-- the round, the credits are not released: the reservation stays dispatched for the next attempt,
-- or becomes unresolved if the mockup fails. Outcomes:
--
--   failed                 with the usage after it; replayed is true if the same request has ended
--                          the attempt before
--   conflicting_FIELD      the attempt was ended with a different FIELD
--   not_found, lost, wrong_state
--                          as in mockupd.complete_mockup
CREATE OR REPLACE FUNCTION mockupd.fail_mockup(
  p_now timestamptz,
  p_user_id uuid,
  p_mockup_id uuid,
  p_attempt integer,
  p_error_message text,
  p_may_retry boolean,
  p_may_be_charged boolean
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
  v_retries boolean;
  v_charged boolean;
  v_answer record;
BEGIN
  SELECT j.* INTO job FROM mockupd.mockup_jobs AS j
  WHERE j.mockup_id = p_mockup_id AND j.user_id = p_user_id
  FOR UPDATE;
  SELECT m.* INTO mockup FROM public.mockups AS m
  WHERE m.id = p_mockup_id AND m.user_id = p_user_id;

  v_retries := p_may_retry AND job.round_attempts < job.attempt_limit;
  replayed := coalesce(job.attempt = p_attempt AND job.outcome IN ('failed', 'retried'), false);
  outcome := CASE
    WHEN mockup.id IS NULL THEN 'not_found'
    WHEN job.attempt IS DISTINCT FROM p_attempt THEN 'lost'
    WHEN replayed THEN
      CASE
        WHEN job.outcome_error <> p_error_message THEN 'conflicting_error_message'
        WHEN v_retries <> (job.outcome = 'retried') THEN 'conflicting_may_retry'
        WHEN job.outcome_may_be_charged <> p_may_be_charged THEN 'conflicting_may_be_charged'
        ELSE 'failed'
      END
    WHEN job.state <> 'leased' OR mockup.status <> 'generating' THEN 'wrong_state'
    ELSE 'failed'
  END;

  IF outcome = 'failed' AND NOT replayed THEN
    v_charged := p_may_be_charged OR job.may_be_charged;
    IF v_charged THEN
      IF NOT v_retries THEN
        PERFORM mockupd.leave_unresolved(p_now, p_user_id, job.reservation_id);
      END IF;
    ELSIF v_retries THEN
      PERFORM mockupd.undo_dispatch(p_now, p_user_id, job.reservation_id);
    ELSE
      PERFORM FROM mockupd.settle(
        p_now, ARRAY[p_user_id], ARRAY[job.reservation_id], ARRAY['release'], ARRAY[NULL::uuid],
        ARRAY[NULL::integer], ARRAY[NULL::boolean], ARRAY[NULL::boolean], ARRAY[NULL::integer],
        ARRAY[NULL::uuid]);
    END IF;
    UPDATE public.mockups AS m
    SET status = CASE WHEN v_retries THEN 'pending' ELSE 'failed' END,
      error_message = CASE WHEN v_retries THEN NULL ELSE p_error_message END
    WHERE m.id = p_mockup_id AND m.user_id = p_user_id
    RETURNING m.* INTO mockup;
    UPDATE mockupd.mockup_jobs AS j
    SET state = CASE WHEN v_retries THEN 'queued' ELSE 'done' END, lease_expires_at = NULL,
      outcome = CASE WHEN v_retries THEN 'retried' ELSE 'failed' END,
      outcome_error = p_error_message, outcome_may_be_charged = p_may_be_charged,
      may_be_charged = v_charged
    WHERE j.mockup_id = p_mockup_id AND j.user_id = p_user_id
    RETURNING j.* INTO job;
  END IF;

  IF outcome = 'failed' THEN
    -- One statement, so that both values have the same snapshot even if nothing is locked.
    SELECT r AS reservation, u::mockupd.usage AS usage INTO v_answer
    FROM mockupd.reservations AS r
    CROSS JOIN LATERAL mockupd.usage_at(p_now, p_user_id, r.year, r.month) AS u
    WHERE r.user_id = p_user_id AND r.id = job.reservation_id;
    reservation := v_answer.reservation;
    usage := v_answer.usage;
  END IF;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION mockupd.fail_mockup
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.fail_mockup TO mockupd_service;

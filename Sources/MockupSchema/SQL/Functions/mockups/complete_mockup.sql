-- Completes a mockup and charges p_credits (null: all held credits; 0: none, which releases them)
-- by a commit whose id is that of the reservation, with the ledger row p_entry_id. Outcomes:
--
--   completed              with the usage after it; replayed is true if the same request has
--                          completed the attempt before
--   conflicting_FIELD      the attempt was completed with a different FIELD
--   not_found              the user has no such mockup
--   lost                   the mockup has been claimed again
--   wrong_state            the mockup's status is no longer generating
--   invalid_metadata       p_dm_metadata is not a JSON object, or PostgreSQL cannot store it, or
--                          its text as jsonb exceeds 256 KiB (1e100000 has 100001 digits)
--   not_open, exceeds_held, insufficient, exceeds_maximum
--                          the outcome of mockupd.settle for the reservation
--
-- With any other outcome than completed, nothing changes.
CREATE OR REPLACE FUNCTION mockupd.complete_mockup(
  p_now timestamptz,
  p_user_id uuid,
  p_mockup_id uuid,
  p_attempt integer,
  p_file_url text,
  p_file_key text,
  p_thumbnail_url text,
  p_dm_render_id text,
  p_dm_metadata text,
  p_quality_score double precision,
  p_credits integer,
  p_allow_overrun boolean,
  p_entry_id uuid
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
  v_metadata jsonb := '{}';
  v_settled record;
BEGIN
  replayed := false;
  IF p_dm_metadata IS NOT NULL THEN
    BEGIN
      v_metadata := p_dm_metadata::jsonb;
    EXCEPTION WHEN data_exception OR program_limit_exceeded OR statement_too_complex THEN
      v_metadata := NULL;
    END;
    IF jsonb_typeof(v_metadata) IS DISTINCT FROM 'object'
      OR octet_length(v_metadata::text) > 262144
    THEN
      outcome := 'invalid_metadata';
      RETURN NEXT;
      RETURN;
    END IF;
  END IF;

  SELECT j.* INTO job FROM mockupd.mockup_jobs AS j
  WHERE j.mockup_id = p_mockup_id AND j.user_id = p_user_id
  FOR UPDATE;
  SELECT m.* INTO mockup FROM public.mockups AS m
  WHERE m.id = p_mockup_id AND m.user_id = p_user_id;

  replayed := coalesce(job.attempt = p_attempt AND job.state = 'done'
    AND job.outcome = 'completed', false);
  outcome := CASE
    WHEN mockup.id IS NULL THEN 'not_found'
    WHEN job.attempt IS DISTINCT FROM p_attempt THEN 'lost'
    WHEN replayed THEN
      CASE
        WHEN mockup.file_url <> p_file_url THEN 'conflicting_file_url'
        WHEN mockup.file_key <> p_file_key THEN 'conflicting_file_key'
        WHEN mockup.thumbnail_url IS DISTINCT FROM p_thumbnail_url THEN 'conflicting_thumbnail_url'
        WHEN mockup.dm_render_id IS DISTINCT FROM p_dm_render_id THEN 'conflicting_dm_render_id'
        WHEN mockup.dm_metadata IS DISTINCT FROM v_metadata THEN 'conflicting_dm_metadata_json'
        WHEN mockup.quality_score IS DISTINCT FROM p_quality_score::numeric(4, 3)
          THEN 'conflicting_quality_score'
        WHEN job.outcome_credits IS DISTINCT FROM p_credits THEN 'conflicting_credits'
        WHEN job.outcome_allow_overrun IS DISTINCT FROM p_allow_overrun
          THEN 'conflicting_allow_overrun'
        ELSE 'completed'
      END
    WHEN job.state <> 'leased' OR mockup.status <> 'generating' THEN 'wrong_state'
    ELSE 'completed'
  END;

  IF outcome <> 'completed' THEN
    RETURN NEXT;
    RETURN;
  END IF;

  -- A replay gets the response that the engine stored for the first call.
  SELECT s.* INTO v_settled
  FROM mockupd.settle(
    p_now, ARRAY[p_user_id], ARRAY[job.reservation_id], ARRAY['commit'], ARRAY[job.reservation_id],
    ARRAY[p_credits], ARRAY[true], ARRAY[p_allow_overrun], ARRAY[NULL::integer],
    ARRAY[p_entry_id]) AS s;
  reservation := v_settled.reservation;
  usage := v_settled.usage;
  IF replayed THEN
    RETURN NEXT;
    RETURN;
  END IF;
  -- If the commit is a replay, another caller has committed the reservation under the reservation's
  -- id.
  IF v_settled.outcome <> 'settled' OR v_settled.replayed THEN
    outcome := CASE WHEN v_settled.outcome IN ('exceeds_held', 'insufficient', 'exceeds_maximum')
      THEN v_settled.outcome ELSE 'not_open' END;
    RETURN NEXT;
    RETURN;
  END IF;

  UPDATE public.mockups AS m
  SET status = CASE WHEN job.skip_approval THEN 'approved' ELSE 'completed' END,
    file_url = p_file_url, file_key = p_file_key, thumbnail_url = p_thumbnail_url,
    dm_render_id = p_dm_render_id, dm_metadata = v_metadata,
    quality_score = p_quality_score::numeric(4, 3), credits_used = reservation.committed,
    error_message = NULL
  WHERE m.id = p_mockup_id AND m.user_id = p_user_id
  RETURNING m.* INTO mockup;

  UPDATE mockupd.mockup_jobs AS j
  SET state = 'done', lease_expires_at = NULL, outcome = 'completed', outcome_credits = p_credits,
    outcome_allow_overrun = p_allow_overrun
  WHERE j.mockup_id = p_mockup_id AND j.user_id = p_user_id
  RETURNING j.* INTO job;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION mockupd.complete_mockup
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.complete_mockup TO mockupd_service;

-- Records failed attempts. If p_retry_allowed[i] is true and attempts are left, the mockup becomes
-- pending again, and its reservation is held again until the next claim. If the reservation expires
-- first, its credits are available, and the next claim fails the mockup. If p_retry_allowed[i] is
-- false or no attempts are left, the mockup fails, and its reservation is released if it is open.
-- The answers and effects are those of the requests one by one, in order.
--
-- If the vendor may have charged for the attempt (p_may_be_charged[i]), or for an earlier attempt
-- of the round, the credits are not released: the reservation stays dispatched for the next
-- attempt, or becomes unresolved if the mockup fails. Outcomes:
--
--   failed                 with the usage after it; replayed is true if the same request was
--                          recorded before
--   conflicting_FIELD      the attempt has ended with a different FIELD
--   not_found, lost, wrong_state
--                          as in mockupd.complete_mockups
CREATE OR REPLACE FUNCTION mockupd.fail_mockups(
  p_now timestamptz,
  p_user_ids uuid[],
  p_mockup_ids uuid[],
  p_attempts integer[],
  p_error_messages text[],
  p_retry_allowed boolean[],
  p_may_be_charged boolean[]
) RETURNS TABLE (
  ordinal bigint,
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
SET random_page_cost = 0.01
AS $$
#variable_conflict use_column
DECLARE
  v_reservation_ids uuid[];
  v_outcomes text[];
  v_replayed boolean[];
  v_retries boolean[];
  v_charged boolean[];
  v_settlements text[];
  v_runs bigint[];
  v_last_run bigint;
BEGIN
  PERFORM mockupd.lock_mockups(p_now, p_user_ids, p_mockup_ids);

  -- The requests are divided into runs in which each user occurs once, since an answer has the
  -- user's usage after its request.
  SELECT array_agg(i.run ORDER BY i.ordinal), max(i.run) INTO v_runs, v_last_run
  FROM (
    SELECT i.ordinal, row_number() OVER (PARTITION BY i.user_id ORDER BY i.ordinal) AS run
    FROM unnest(p_user_ids) WITH ORDINALITY AS i (user_id, ordinal)
  ) AS i;

  FOR v_run IN 1 .. coalesce(v_last_run, 0) LOOP
    -- The decision on each request of the run, and what happens to its reservation. v_outcomes is
    -- null for requests of other runs.
    SELECT array_agg(i.reservation_id ORDER BY i.ordinal), array_agg(i.outcome ORDER BY i.ordinal),
      array_agg(i.replayed ORDER BY i.ordinal), array_agg(i.retries ORDER BY i.ordinal),
      array_agg(i.charged ORDER BY i.ordinal),
      array_agg(
        CASE
          WHEN i.outcome IS DISTINCT FROM 'failed' OR i.replayed OR i.charged AND i.retries
            THEN NULL
          WHEN i.charged THEN 'leave_unresolved'
          WHEN i.retries THEN 'undo_dispatch'
          ELSE 'release'
        END ORDER BY i.ordinal)
    INTO v_reservation_ids, v_outcomes, v_replayed, v_retries, v_charged, v_settlements
    FROM (
      SELECT i.ordinal, j.reservation_id, d.replayed, d.retries,
        i.may_be_charged OR j.may_be_charged AS charged,
        CASE
          WHEN i.run <> v_run THEN NULL
          WHEN m.id IS NULL THEN 'not_found'
          WHEN j.attempt IS DISTINCT FROM i.attempt THEN 'lost'
          WHEN d.replayed THEN
            CASE
              WHEN j.outcome_error <> i.error_message THEN 'conflicting_error_message'
              WHEN d.retries <> (j.outcome = 'retried') THEN 'conflicting_may_retry'
              WHEN j.outcome_may_be_charged <> i.may_be_charged
                THEN 'conflicting_may_be_charged'
              ELSE 'failed'
            END
          WHEN j.state <> 'leased' OR m.status <> 'generating' THEN 'wrong_state'
          ELSE 'failed'
        END AS outcome
      FROM unnest(
        p_user_ids, p_mockup_ids, p_attempts, p_error_messages, p_retry_allowed, p_may_be_charged,
        v_runs) WITH ORDINALITY
        AS i (user_id, mockup_id, attempt, error_message, retry_allowed, may_be_charged, run,
          ordinal)
      LEFT JOIN LATERAL (
        SELECT j.* FROM mockupd.mockup_jobs AS j
        WHERE j.mockup_id = i.mockup_id AND j.user_id = i.user_id
        LIMIT 1
      ) AS j ON true
      LEFT JOIN LATERAL (
        SELECT m.id, m.status FROM public.mockups AS m
        WHERE m.id = i.mockup_id AND m.user_id = i.user_id
        LIMIT 1
      ) AS m ON true
      CROSS JOIN LATERAL (
        SELECT i.retry_allowed AND j.round_attempts < j.attempt_limit AS retries,
          coalesce(j.attempt = i.attempt AND j.outcome IN ('failed', 'retried'), false) AS replayed
      ) AS d
    ) AS i;

    PERFORM mockupd.leave_unresolved(p_now, i.user_id, i.reservation_id)
    FROM unnest(p_user_ids, v_reservation_ids, v_settlements)
      AS i (user_id, reservation_id, settlement)
    WHERE i.settlement = 'leave_unresolved';

    PERFORM mockupd.undo_dispatch(p_now, i.user_id, i.reservation_id)
    FROM unnest(p_user_ids, v_reservation_ids, v_settlements)
      AS i (user_id, reservation_id, settlement)
    WHERE i.settlement = 'undo_dispatch';

    PERFORM FROM (
      SELECT array_agg(i.user_id) AS user_ids, array_agg(i.reservation_id) AS ids,
        array_agg(i.settlement) AS actions, array_agg(NULL::uuid) AS no_ids,
        array_agg(NULL::integer) AS no_numbers, array_agg(NULL::boolean) AS no_flags
      FROM unnest(p_user_ids, v_reservation_ids, v_settlements)
        AS i (user_id, reservation_id, settlement)
      WHERE i.settlement = 'release'
      HAVING count(*) > 0
    ) AS i
    CROSS JOIN LATERAL mockupd.settle(
      p_now, i.user_ids, i.ids, i.actions, i.no_ids, i.no_numbers, i.no_flags, i.no_flags,
      i.no_numbers, i.no_ids);

    RETURN QUERY
    WITH request AS MATERIALIZED (
      SELECT i.*, i.outcome = 'failed' AND NOT i.replayed AS ends
      FROM unnest(
        p_user_ids, p_mockup_ids, p_error_messages, p_may_be_charged, v_reservation_ids,
        v_outcomes, v_replayed, v_retries, v_charged) WITH ORDINALITY
        AS i (user_id, mockup_id, error_message, may_be_charged, reservation_id, outcome, replayed,
          retries, charged, ordinal)
      WHERE i.outcome IS NOT NULL
    ), failed AS (
      UPDATE public.mockups AS m
      SET status = CASE WHEN i.retries THEN 'pending' ELSE 'failed' END,
        error_message = CASE WHEN i.retries THEN NULL ELSE i.error_message END
      FROM request AS i
      WHERE i.ends AND m.id = i.mockup_id AND m.user_id = i.user_id
      RETURNING i.ordinal, m AS mockup
    ), ended AS (
      UPDATE mockupd.mockup_jobs AS j
      SET state = CASE WHEN i.retries THEN 'queued' ELSE 'done' END, lease_expires_at = NULL,
        outcome = CASE WHEN i.retries THEN 'retried' ELSE 'failed' END,
        outcome_error = i.error_message, outcome_may_be_charged = i.may_be_charged,
        may_be_charged = i.charged
      FROM request AS i
      WHERE i.ends AND j.mockup_id = i.mockup_id AND j.user_id = i.user_id
      RETURNING i.ordinal, j AS job
    )
    SELECT i.ordinal, i.outcome, i.replayed, coalesce(f.mockup, m.mockup), coalesce(e.job, j.job),
      r.reservation, r.usage
    FROM request AS i
    LEFT JOIN failed AS f ON f.ordinal = i.ordinal
    LEFT JOIN ended AS e ON e.ordinal = i.ordinal
    LEFT JOIN LATERAL (
      SELECT m AS mockup FROM public.mockups AS m
      WHERE m.id = i.mockup_id AND m.user_id = i.user_id
      LIMIT 1
    ) AS m ON true
    LEFT JOIN LATERAL (
      SELECT j AS job FROM mockupd.mockup_jobs AS j
      WHERE j.mockup_id = i.mockup_id AND j.user_id = i.user_id
      LIMIT 1
    ) AS j ON true
    LEFT JOIN LATERAL (
      -- Its expiry is recorded only if the counters were locked.
      SELECT mockupd.as_of(r, coalesce(p_now, clock_timestamp())) AS reservation,
        u::mockupd.usage AS usage
      FROM mockupd.reservations AS r
      CROSS JOIN LATERAL mockupd.usage_at(p_now, i.user_id, r.year, r.month) AS u
      WHERE i.outcome = 'failed' AND r.user_id = i.user_id AND r.id = i.reservation_id
      LIMIT 1
    ) AS r ON true;
  END LOOP;
END
$$;

REVOKE ALL ON FUNCTION mockupd.fail_mockups
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.fail_mockups TO mockupd_service;

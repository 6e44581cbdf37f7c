-- Completes mockups and charges p_credits[i] (null: all held credits; 0: none, which releases them)
-- by a commit whose id is that of the reservation, with the ledger row p_entry_ids[i]. The answers
-- and effects are those of the requests one by one, in order. Outcomes:
--
--   completed              with the usage after it; replayed is true if the same request has
--                          completed the attempt before
--   conflicting_FIELD      the attempt was completed with a different FIELD
--   not_found              the user has no such mockup
--   lost                   the mockup has been claimed again
--   wrong_state            the mockup's status is no longer generating
--   invalid_metadata       p_dm_metadata[i] is no JSON object that can be stored
--   not_open, exceeds_held, insufficient, exceeds_maximum
--                          the outcome of mockupd.settle for the reservation
--
-- With other outcomes than completed, a request changes nothing.
CREATE OR REPLACE FUNCTION mockupd.complete_mockups(
  p_now timestamptz,
  p_user_ids uuid[],
  p_mockup_ids uuid[],
  p_attempts integer[],
  p_file_urls text[],
  p_file_keys text[],
  p_thumbnail_urls text[],
  p_dm_render_ids text[],
  p_dm_metadata text[],
  p_quality_scores double precision[],
  p_credits integer[],
  p_allow_overruns boolean[],
  p_entry_ids uuid[]
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
  v_metadata jsonb[] := ARRAY(
    SELECT mockupd.picture_metadata(i.metadata)
    FROM unnest(p_dm_metadata) WITH ORDINALITY AS i (metadata, ordinal)
    ORDER BY i.ordinal);
  v_runs bigint[];
  v_last_run bigint;
BEGIN
  PERFORM mockupd.lock_mockups(p_now, p_user_ids, p_mockup_ids);

  -- A user's requests are divided into runs in which each mockup occurs once. Each run is decided
  -- as a set, and reads what the previous run wrote.
  SELECT array_agg(i.run ORDER BY i.ordinal), max(i.run) INTO v_runs, v_last_run
  FROM (
    SELECT i.ordinal,
      1 + count(*) FILTER (WHERE i.cuts) OVER (PARTITION BY i.user_id ORDER BY i.ordinal) AS run
    FROM (
      SELECT i.user_id, i.ordinal,
        row_number() OVER (PARTITION BY i.user_id, i.mockup_id ORDER BY i.ordinal) > 1 AS cuts
      FROM unnest(p_user_ids, p_mockup_ids) WITH ORDINALITY AS i (user_id, mockup_id, ordinal)
    ) AS i
  ) AS i;

  FOR v_run IN 1 .. coalesce(v_last_run, 0) LOOP
    RETURN QUERY
    WITH request AS MATERIALIZED (
      SELECT i.*, j.job, m.mockup, d.replayed, d.outcome
      FROM unnest(
        p_user_ids, p_mockup_ids, p_attempts, p_file_urls, p_file_keys, p_thumbnail_urls,
        p_dm_render_ids, v_metadata, p_quality_scores::numeric(4, 3)[], p_credits,
        p_allow_overruns, p_entry_ids, v_runs)
        WITH ORDINALITY
        AS i (user_id, mockup_id, attempt, file_url, file_key, thumbnail_url, dm_render_id,
          dm_metadata, quality_score, credits, allow_overrun, entry_id, run, ordinal)
      -- LIMIT makes PostgreSQL look up each row by its key. Otherwise, it might choose a join.
      LEFT JOIN LATERAL (
        SELECT j AS job FROM mockupd.mockup_jobs AS j
        WHERE j.mockup_id = i.mockup_id AND j.user_id = i.user_id
        LIMIT 1
      ) AS j ON true
      LEFT JOIN LATERAL (
        SELECT m AS mockup FROM public.mockups AS m
        WHERE m.id = i.mockup_id AND m.user_id = i.user_id
        LIMIT 1
      ) AS m ON true
      CROSS JOIN LATERAL (
        SELECT coalesce((j.job).attempt = i.attempt AND (j.job).state = 'done'
          AND (j.job).outcome = 'completed', false) AS replayed
        OFFSET 0
      ) AS r
      CROSS JOIN LATERAL (
        SELECT r.replayed AND i.dm_metadata IS NOT NULL AS replayed,
          CASE
            WHEN i.dm_metadata IS NULL THEN 'invalid_metadata'
            WHEN (m.mockup).id IS NULL THEN 'not_found'
            WHEN (j.job).attempt IS DISTINCT FROM i.attempt THEN 'lost'
            WHEN r.replayed THEN
              CASE
                WHEN (m.mockup).file_url <> i.file_url THEN 'conflicting_file_url'
                WHEN (m.mockup).file_key <> i.file_key THEN 'conflicting_file_key'
                WHEN (m.mockup).thumbnail_url IS DISTINCT FROM i.thumbnail_url
                  THEN 'conflicting_thumbnail_url'
                WHEN (m.mockup).dm_render_id IS DISTINCT FROM i.dm_render_id
                  THEN 'conflicting_dm_render_id'
                WHEN (m.mockup).dm_metadata IS DISTINCT FROM i.dm_metadata
                  THEN 'conflicting_dm_metadata_json'
                WHEN (m.mockup).quality_score IS DISTINCT FROM i.quality_score
                  THEN 'conflicting_quality_score'
                WHEN (j.job).outcome_credits IS DISTINCT FROM i.credits THEN 'conflicting_credits'
                WHEN (j.job).outcome_allow_overrun IS DISTINCT FROM i.allow_overrun
                  THEN 'conflicting_allow_overrun'
                ELSE 'completed'
              END
            WHEN (j.job).state <> 'leased' OR (m.mockup).status <> 'generating' THEN 'wrong_state'
            ELSE 'completed'
          END AS outcome
        OFFSET 0
      ) AS d
      WHERE i.run = v_run
    ), settled AS MATERIALIZED (
      -- A replay gets the response that the engine stored for the first call.
      SELECT i.ordinals[s.ordinal] AS ordinal, s.outcome, s.replayed, s.reservation, s.usage
      FROM (
        SELECT array_agg(i.ordinal ORDER BY i.ordinal) AS ordinals,
          array_agg(i.user_id ORDER BY i.ordinal) AS user_ids,
          array_agg((i.job).reservation_id ORDER BY i.ordinal) AS ids,
          array_agg('commit'::text) AS actions,
          array_agg(i.credits ORDER BY i.ordinal) AS credits,
          array_agg(true) AS finals,
          array_agg(i.allow_overrun ORDER BY i.ordinal) AS allow_overruns,
          array_agg(NULL::integer) AS times_to_live,
          array_agg(i.entry_id ORDER BY i.ordinal) AS entry_ids
        FROM request AS i
        WHERE i.outcome = 'completed'
        HAVING count(*) > 0
      ) AS i
      CROSS JOIN LATERAL mockupd.settle(
        p_now, i.user_ids, i.ids, i.actions, i.ids, i.credits, i.finals, i.allow_overruns,
        i.times_to_live, i.entry_ids) AS s
    ), answer AS MATERIALIZED (
      -- If the commit of a new completion is a replay, another caller has committed the reservation
      -- under the reservation's id.
      SELECT i.*, s.reservation, s.usage,
        CASE
          WHEN i.outcome <> 'completed' OR i.replayed
            OR s.outcome = 'settled' AND NOT s.replayed THEN i.outcome
          WHEN s.outcome IN ('exceeds_held', 'insufficient', 'exceeds_maximum') THEN s.outcome
          ELSE 'not_open'
        END AS answer
      FROM request AS i
      LEFT JOIN settled AS s ON s.ordinal = i.ordinal
    ), completed AS (
      UPDATE public.mockups AS m
      SET status = CASE WHEN (i.job).skip_approval THEN 'approved' ELSE 'completed' END,
        file_url = i.file_url, file_key = i.file_key, thumbnail_url = i.thumbnail_url,
        dm_render_id = i.dm_render_id, dm_metadata = i.dm_metadata,
        quality_score = i.quality_score, credits_used = (i.reservation).committed,
        error_message = NULL
      FROM answer AS i
      WHERE i.answer = 'completed' AND NOT i.replayed
        AND m.id = i.mockup_id AND m.user_id = i.user_id
      RETURNING i.ordinal, m AS mockup
    ), done AS (
      UPDATE mockupd.mockup_jobs AS j
      SET state = 'done', lease_expires_at = NULL, outcome = 'completed',
        outcome_credits = i.credits, outcome_allow_overrun = i.allow_overrun
      FROM answer AS i
      WHERE i.answer = 'completed' AND NOT i.replayed
        AND j.mockup_id = i.mockup_id AND j.user_id = i.user_id
      RETURNING i.ordinal, j AS job
    )
    SELECT i.ordinal, i.answer, i.replayed, coalesce(c.mockup, i.mockup), coalesce(d.job, i.job),
      i.reservation, i.usage
    FROM answer AS i
    LEFT JOIN completed AS c ON c.ordinal = i.ordinal
    LEFT JOIN done AS d ON d.ordinal = i.ordinal;
  END LOOP;
END
$$;

REVOKE ALL ON FUNCTION mockupd.complete_mockups
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.complete_mockups TO mockupd_service;

-- Makes a pending mockup, its job and its reservation for each pair of p_asset_ids and p_scenes.
-- The arrays have no duplicates. The ids for pair i are p_mockup_ids[i] and p_reservation_ids[i].
-- Outcomes:
--
--   made                   a row for each pair, in order, with its failure or its current mockup,
--                          and the usage in the current year and month; replayed is true if the
--                          request id was used before
--   conflicting_FIELD      the request id was used before with a different FIELD
--   unknown_user           the user does not exist
--   unknown_quote          the quote does not exist, or belongs to another user
CREATE OR REPLACE FUNCTION mockupd.generate_mockups(
  p_now timestamptz,
  p_user_id uuid,
  p_request_id uuid,
  p_asset_ids uuid[],
  p_scenes text[],
  p_skip_approval boolean,
  p_quote_id uuid,
  p_credits integer,
  p_time_to_live integer,
  p_mockup_ids uuid[],
  p_reservation_ids uuid[]
) RETURNS TABLE (
  outcome text,
  replayed boolean,
  asset_id uuid,
  scene text,
  mockup_id uuid,
  reservation_id uuid,
  failure text,
  status text,
  file_url text,
  credits_used integer,
  year integer,
  month integer,
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
  v_year integer := extract(year FROM coalesce(p_now, clock_timestamp()) AT TIME ZONE 'UTC');
  v_month integer;
  v_request mockupd.generation_requests;
  v_available bigint;
  v_pair record;
  v_failures text[] := '{}';
  -- The mockups to make, an array for each column.
  v_mockup_ids uuid[] := '{}';
  v_reservation_ids uuid[] := '{}';
  v_asset_ids uuid[] := '{}';
  v_scenes text[] := '{}';
  v_configs jsonb[] := '{}';
  v_count integer;
  v_refused uuid[];
  v_replayed boolean := true;
BEGIN
  IF NOT EXISTS (SELECT FROM auth.users AS u WHERE u.id = p_user_id) THEN
    outcome := 'unknown_user';
    RETURN NEXT;
    RETURN;
  END IF;

  SELECT r.* INTO v_request FROM mockupd.generation_requests AS r
  WHERE r.user_id = p_user_id AND r.id = p_request_id;

  IF NOT FOUND THEN
    -- The lock keeps the quote until the mockups refer to it.
    PERFORM FROM public.quotes AS q WHERE q.id = p_quote_id AND q.user_id = p_user_id
    FOR KEY SHARE;
    IF NOT FOUND AND p_quote_id IS NOT NULL THEN
      outcome := 'unknown_quote';
      RETURN NEXT;
      RETURN;
    END IF;

    -- The second of two concurrent calls waits here, and finds the first call's row.
    INSERT INTO mockupd.generation_requests (
      user_id, id, asset_ids, scenes, skip_approval, quote_id, credits, time_to_live, created_at,
      mockup_ids, reservation_ids, failures)
    VALUES (
      p_user_id, p_request_id, p_asset_ids, p_scenes, p_skip_approval, p_quote_id, p_credits,
      p_time_to_live, coalesce(p_now, clock_timestamp()), '{}', '{}', '{}')
    ON CONFLICT DO NOTHING;
    v_replayed := NOT FOUND;

    SELECT r.* INTO v_request FROM mockupd.generation_requests AS r
    WHERE r.user_id = p_user_id AND r.id = p_request_id;
  END IF;

  outcome := CASE
    WHEN v_request.asset_ids <> p_asset_ids THEN 'conflicting_asset_ids'
    WHEN v_request.scenes <> p_scenes THEN 'conflicting_scenes'
    WHEN v_request.skip_approval <> p_skip_approval THEN 'conflicting_skip_approval'
    WHEN v_request.quote_id IS DISTINCT FROM p_quote_id THEN 'conflicting_quote_id'
    WHEN v_request.credits <> p_credits THEN 'conflicting_credits_per_mockup'
    WHEN v_request.time_to_live <> p_time_to_live THEN 'conflicting_time_to_live_seconds'
    ELSE 'made'
  END;
  IF v_replayed THEN
    PERFORM mockupd.wait_for_replication();
  END IF;
  IF outcome <> 'made' THEN
    RETURN NEXT;
    RETURN;
  END IF;

  IF NOT v_replayed THEN
    PERFORM FROM public.assets AS a
    WHERE a.id = ANY (p_asset_ids) AND a.user_id = p_user_id
    ORDER BY a.id
    FOR KEY SHARE;

    -- The counters are locked before the first figure of the response is read, and before the
    -- mockups are made: a session that has changed mockups holds the lock on the user's feed, and
    -- must not wait for the counters then.
    PERFORM mockupd.make_counters(ARRAY[p_user_id], v_year);
    SELECT l.p_now INTO p_now
    FROM mockupd.lock_counters(p_now, ARRAY[p_user_id], ARRAY[v_year]) AS l;
    PERFORM mockupd.require_year(p_now, v_year);
    v_month := extract(month FROM p_now AT TIME ZONE 'UTC');

    -- An estimate that avoids making mockups that will be refused. The reservations below decide.
    SELECT mockupd.available(u) INTO v_available
    FROM mockupd.usage_at(p_now, p_user_id, v_year, v_month) AS u;

    FOR v_pair IN
      SELECT pair.*, a.id IS NOT NULL AS has_asset, t.id IS NOT NULL AS has_scene, t.config
      FROM (
        SELECT a.id AS asset_id, s.key AS scene,
          row_number() OVER (ORDER BY a.ordinal, s.ordinal) AS ordinal
        FROM unnest(p_asset_ids) WITH ORDINALITY AS a (id, ordinal)
        CROSS JOIN unnest(p_scenes) WITH ORDINALITY AS s (key, ordinal)
      ) AS pair
      LEFT JOIN public.assets AS a ON a.id = pair.asset_id AND a.user_id = p_user_id
      LEFT JOIN LATERAL mockupd.resolved_scene(p_user_id, pair.scene) AS t ON true
      ORDER BY pair.ordinal
    LOOP
      failure := CASE
        WHEN NOT v_pair.has_asset THEN 'unknown_asset'
        WHEN NOT v_pair.has_scene THEN 'unknown_scene'
        WHEN v_available < p_credits THEN 'insufficient_credits'
      END;
      v_failures[v_pair.ordinal] := failure;
      IF failure IS NULL THEN
        v_available := v_available - p_credits;
        v_mockup_ids := v_mockup_ids || p_mockup_ids[v_pair.ordinal];
        v_reservation_ids := v_reservation_ids || p_reservation_ids[v_pair.ordinal];
        v_asset_ids := v_asset_ids || v_pair.asset_id;
        v_scenes := v_scenes || v_pair.scene;
        v_configs := v_configs || ARRAY[v_pair.config];
      END IF;
    END LOOP;

    INSERT INTO public.mockups (
      id, user_id, asset_id, quote_id, scene, scene_config, file_url, file_key, credits_used,
      status, created_at, updated_at)
    SELECT made.id, p_user_id, made.asset_id, p_quote_id, made.scene, made.config, '', '', 0,
      'pending', p_now, p_now
    FROM unnest(v_mockup_ids, v_asset_ids, v_scenes, v_configs)
      AS made (id, asset_id, scene, config);

    INSERT INTO mockupd.mockup_jobs
      (mockup_id, user_id, state, requested_at, skip_approval, reservation_id)
    SELECT made.id, p_user_id, 'queued', p_now, p_skip_approval, made.reservation_id
    FROM unnest(v_mockup_ids, v_reservation_ids) AS made (id, reservation_id);

    -- The request's id is the reservations' group.
    v_count := cardinality(v_mockup_ids);
    SELECT coalesce(array_agg(v_mockup_ids[r.ordinal]), '{}') INTO v_refused
    FROM mockupd.reserve(
      p_now,
      array_fill(p_user_id, ARRAY[v_count]),
      v_reservation_ids,
      array_fill(p_credits, ARRAY[v_count]),
      array_fill('generation'::text, ARRAY[v_count]),
      array_fill(p_time_to_live, ARRAY[v_count]),
      v_mockup_ids,
      array_fill(p_request_id, ARRAY[v_count]),
      array_fill('normal'::text, ARRAY[v_count])) AS r
    WHERE r.outcome <> 'admitted';

    DELETE FROM public.mockups AS m WHERE m.user_id = p_user_id AND m.id = ANY (v_refused);

    UPDATE mockupd.generation_requests AS r
    SET (mockup_ids, reservation_ids, failures) = (
      SELECT
        array_agg(CASE WHEN decided.failure IS NULL THEN decided.mockup_id END
          ORDER BY decided.ordinal),
        array_agg(CASE WHEN decided.failure IS NULL THEN decided.reservation_id END
          ORDER BY decided.ordinal),
        array_agg(decided.failure ORDER BY decided.ordinal)
      FROM (
        SELECT i.ordinal, i.mockup_id, i.reservation_id,
          CASE WHEN i.mockup_id = ANY (v_refused) THEN 'insufficient_credits' ELSE i.failure END
            AS failure
        FROM unnest(p_mockup_ids, p_reservation_ids, v_failures) WITH ORDINALITY
          AS i (mockup_id, reservation_id, failure, ordinal)
      ) AS decided
    )
    WHERE r.user_id = p_user_id AND r.id = p_request_id
    RETURNING r.* INTO v_request;
  END IF;

  p_now := coalesce(p_now, clock_timestamp());
  v_year := extract(year FROM p_now AT TIME ZONE 'UTC');
  v_month := extract(month FROM p_now AT TIME ZONE 'UTC');
  -- One statement, so that the mockups and the usage of a replay have the same snapshot.
  RETURN QUERY
  SELECT 'made', v_replayed, pair.asset_id, pair.scene,
    i.mockup_id, i.reservation_id, i.failure, m.status::text, m.file_url::text,
    m.credits_used::integer, v_year, v_month, u::mockupd.usage
  FROM (
    SELECT a.id AS asset_id, s.key AS scene,
      row_number() OVER (ORDER BY a.ordinal, s.ordinal) AS ordinal
    FROM unnest(v_request.asset_ids) WITH ORDINALITY AS a (id, ordinal)
    CROSS JOIN unnest(v_request.scenes) WITH ORDINALITY AS s (key, ordinal)
  ) AS pair
  JOIN unnest(v_request.mockup_ids, v_request.reservation_ids, v_request.failures)
    WITH ORDINALITY AS i (mockup_id, reservation_id, failure, ordinal) USING (ordinal)
  LEFT JOIN public.mockups AS m ON m.user_id = p_user_id AND m.id = i.mockup_id
  LEFT JOIN mockupd.usage_at(p_now, p_user_id, v_year, v_month) AS u ON true
  ORDER BY pair.ordinal;
END
$$;

REVOKE ALL ON FUNCTION mockupd.generate_mockups
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.generate_mockups TO mockupd_service;

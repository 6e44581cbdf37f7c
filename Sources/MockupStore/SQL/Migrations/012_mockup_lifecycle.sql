-- What becomes of mockups: asked for, claimed by a worker, completed or failed, reviewed, asked for
-- again, deleted. Each step changes the mockup, its job, and the credits in one transaction.
--
-- Every function takes the time and all ids as parameters, and locks in one order: the job, then the
-- user's counters (by mockupd.reserve and mockupd.settle, or as they do), then the mockup. Whoever
-- changes a mockup has its job's lock, so nobody who waits for counters holds up one who has them.

-- Jobs --------------------------------------------------------------------------------------------

-- What a mockup's making needs beside what the mockup says: a row for each that was asked for here.
CREATE TABLE mockupd.mockup_jobs (
  mockup_id uuid NOT NULL REFERENCES public.mockups (id) ON DELETE CASCADE,
  user_id uuid NOT NULL,
  -- queued while the mockup is pending, leased while it is generating, done else.
  state text NOT NULL CHECK (state IN ('queued', 'leased', 'done')),
  -- When this round was asked for: its place in the queue, also of a second attempt.
  requested_at timestamptz NOT NULL,
  skip_approval boolean NOT NULL,
  -- The round's reservation.
  reservation_id uuid,
  -- How often it was claimed, over all rounds: the token that a worker shows.
  attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  -- How often in this round, and how often at most.
  round_attempts integer NOT NULL DEFAULT 0 CHECK (round_attempts BETWEEN 0 AND attempt_limit),
  -- The vendor may have charged for an attempt of this round, which ended without a report or with one
  -- that says so. The reservation is not released: a completion or an administrator settles it.
  may_be_charged boolean NOT NULL DEFAULT false,
  attempt_limit integer NOT NULL DEFAULT 3 CHECK (attempt_limit > 0),
  worker text,
  lease_expires_at timestamptz,
  -- How the last attempt ended, and the request that ended it: one that is sent again is known by it.
  outcome text CHECK (outcome IN ('completed', 'failed', 'retried', 'lapsed')),
  outcome_credits integer,
  outcome_allow_overrun boolean,
  outcome_error text,
  outcome_may_be_charged boolean,
  -- The mockup comes first: the foreign key looks by it alone.
  PRIMARY KEY (mockup_id, user_id),
  CHECK ((state = 'leased') = (lease_expires_at IS NOT NULL))
) WITH (fillfactor = 70);

-- What waits, over all users, the oldest first.
CREATE INDEX mockup_jobs_queue ON mockupd.mockup_jobs (requested_at, mockup_id)
  WHERE state = 'queued';
CREATE INDEX mockup_jobs_leases ON mockupd.mockup_jobs (lease_expires_at) WHERE state = 'leased';

-- A page of a user's mockups, the newest first.
CREATE INDEX mockups_newest ON public.mockups (user_id, created_at DESC, id DESC);

-- Requests, kept for ever: under its id a request has one effect, and the same results.
CREATE TABLE mockupd.generation_requests (
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  -- The request, duplicates dropped.
  asset_ids uuid[] NOT NULL,
  scenes text[] NOT NULL,
  skip_approval boolean NOT NULL,
  quote_id uuid,
  credits integer NOT NULL CHECK (credits > 0),
  time_to_live integer NOT NULL CHECK (time_to_live > 0), -- seconds
  created_at timestamptz NOT NULL,
  -- What each pair got, null where it has none.
  mockup_ids uuid[] NOT NULL,
  reservation_ids uuid[] NOT NULL,
  failures text[] NOT NULL,
  PRIMARY KEY (user_id, id)
);

CREATE TABLE mockupd.regeneration_requests (
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  mockup_id uuid NOT NULL, -- no reference: the request stays as it was when its mockup is gone
  skip_approval boolean NOT NULL,
  credits integer NOT NULL CHECK (credits > 0),
  time_to_live integer NOT NULL CHECK (time_to_live > 0), -- seconds
  created_at timestamptz NOT NULL,
  reservation_id uuid NOT NULL,
  PRIMARY KEY (user_id, id)
);

GRANT SELECT ON public.mockups, mockupd.mockup_jobs TO mockupd_service;
CREATE POLICY mockups_service ON public.mockups FOR SELECT TO mockupd_service USING (true);

-- The template that a user's mockups of a scene are made with: the user's own before the system's.
CREATE FUNCTION mockupd.resolved_scene(p_user_id uuid, p_scene text)
RETURNS SETOF public.mockup_scene_templates
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT t.* FROM public.mockup_scene_templates AS t
  WHERE t.scene_key = p_scene AND t.is_active
    AND (t.user_id = p_user_id OR t.user_id IS NULL AND t.is_system)
  ORDER BY t.user_id NULLS LAST, t.created_at, t.id
  LIMIT 1;
END
$$;

-- Generate ----------------------------------------------------------------------------------------

-- Makes a pending mockup, its job and its reservation for each of p_asset_ids in each of p_scenes,
-- none of which has duplicates: the ids for pair i are p_mockup_ids[i] and p_reservation_ids[i].
--
--   made                   a row for each pair, in order: its failure, or its mockup as it is now;
--                          replayed where the request was sent before
--   conflicting_FIELD      the id was sent before with another FIELD
--   unknown_user, unknown_quote (or another user's)
CREATE FUNCTION mockupd.generate_mockups(
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
  usage mockupd.usage
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_year integer := extract(year FROM p_now AT TIME ZONE 'UTC');
  v_month integer := extract(month FROM p_now AT TIME ZONE 'UTC');
  v_request mockupd.generation_requests;
  v_available bigint;
  v_pair record;
  v_failures text[] := '{}';
  -- What is made, an array for each column.
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
    -- What is referred to below stays until the mockups refer to it.
    PERFORM FROM public.quotes AS q WHERE q.id = p_quote_id AND q.user_id = p_user_id
    FOR KEY SHARE;
    IF NOT FOUND AND p_quote_id IS NOT NULL THEN
      outcome := 'unknown_quote';
      RETURN NEXT;
      RETURN;
    END IF;

    -- Of two that come at once the second waits here, and finds the first one's.
    INSERT INTO mockupd.generation_requests (
      user_id, id, asset_ids, scenes, skip_approval, quote_id, credits, time_to_live, created_at,
      mockup_ids, reservation_ids, failures)
    VALUES (
      p_user_id, p_request_id, p_asset_ids, p_scenes, p_skip_approval, p_quote_id, p_credits,
      p_time_to_live, p_now, '{}', '{}', '{}')
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
  IF outcome <> 'made' THEN
    RETURN NEXT;
    RETURN;
  END IF;

  IF NOT v_replayed THEN
    PERFORM FROM public.assets AS a
    WHERE a.id = ANY (p_asset_ids) AND a.user_id = p_user_id
    ORDER BY a.id
    FOR KEY SHARE;

    -- The counters are locked before the answer's first figure is read, and before the mockups are
    -- made: who has changed a user's mockups has their feed as well (013), and may not wait for
    -- counters then.
    INSERT INTO mockupd.credit_counters (user_id, year)
    VALUES (p_user_id, v_year)
    ON CONFLICT DO NOTHING;
    PERFORM FROM mockupd.credit_counters AS c
    WHERE c.user_id = p_user_id AND c.year = v_year
    FOR NO KEY UPDATE;

    -- Nothing is made for what will be refused; the reservations below have the last word.
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

    -- The request is the reservations' group.
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

  -- One statement, so that the mockups and the usage of a replay are of one moment.
  RETURN QUERY
  SELECT 'made', v_replayed, pair.asset_id, pair.scene,
    i.mockup_id, i.reservation_id, i.failure, m.status::text, m.file_url::text,
    m.credits_used::integer, u::mockupd.usage
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

-- Asks for a mockup once more, as a new round: what the one before left is cleared away.
--
--   pending                with the usage after it; replayed where the request was sent before, and
--                          then with the mockup as it is now, or without, where it is gone
--   refused                too few credits: nothing has changed
--   conflicting_FIELD      the id was sent before with another FIELD
--   not_found              the user has no such mockup
--   wrong_state            its status forbids it
CREATE FUNCTION mockupd.regenerate_mockup(
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
AS $$
#variable_conflict use_column
DECLARE
  v_request mockupd.regeneration_requests;
  v_admission record;
BEGIN
  replayed := false;
  -- A mockup that was not asked for here has no job yet.
  INSERT INTO mockupd.mockup_jobs (mockup_id, user_id, state, requested_at, skip_approval)
  SELECT m.id, m.user_id, 'done', p_now, false
  FROM public.mockups AS m WHERE m.id = p_mockup_id AND m.user_id = p_user_id
  ON CONFLICT DO NOTHING;

  SELECT j.* INTO job FROM mockupd.mockup_jobs AS j
  WHERE j.mockup_id = p_mockup_id AND j.user_id = p_user_id
  FOR UPDATE;

  SELECT r.* INTO v_request FROM mockupd.regeneration_requests AS r
  WHERE r.user_id = p_user_id AND r.id = p_request_id;
  IF FOUND THEN
    replayed := true;
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
    -- Of two that come at once for two mockups under one id, the second fails on the key and is
    -- run again.
    INSERT INTO mockupd.regeneration_requests
    VALUES (p_user_id, p_request_id, p_mockup_id, p_skip_approval, p_credits, p_time_to_live,
      p_now, p_reservation_id)
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
      SET state = 'queued', requested_at = p_now, skip_approval = p_skip_approval,
        reservation_id = p_reservation_id, round_attempts = 0, may_be_charged = false,
        worker = NULL, outcome = NULL,
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

-- Claim -------------------------------------------------------------------------------------------

-- Takes back leases that have expired: their mockups are pending again, or failed after the last
-- attempt. A worker that does not report may have been charged by the vendor, so the reservation stays
-- dispatched, also when a later attempt fails without a charge: it becomes unresolved when it expires,
-- and an admin decides. Takes p_limit at most, none that another is at just now, and
-- returns how many.
CREATE FUNCTION mockupd.expire_leases(p_now timestamptz, p_limit integer)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
DECLARE
  v_ids uuid[];
  v_user_ids uuid[];
BEGIN
  SELECT array_agg(lapsed.mockup_id), array_agg(lapsed.user_id) INTO v_ids, v_user_ids
  FROM (
    SELECT j.mockup_id, j.user_id FROM mockupd.mockup_jobs AS j
    WHERE j.state = 'leased' AND j.lease_expires_at <= p_now
    ORDER BY j.lease_expires_at
    LIMIT p_limit
    FOR UPDATE SKIP LOCKED
  ) AS lapsed;
  IF v_ids IS NULL THEN
    RETURN 0;
  END IF;

  PERFORM FROM public.mockups AS m
  WHERE m.id = ANY (v_ids) AND m.user_id = ANY (v_user_ids)
  ORDER BY m.id
  FOR NO KEY UPDATE;

  UPDATE public.mockups AS m
  SET
    status = CASE WHEN j.round_attempts < j.attempt_limit THEN 'pending' ELSE 'failed' END,
    error_message = CASE WHEN j.round_attempts < j.attempt_limit THEN NULL
      ELSE 'No worker finished it in ' || j.attempt_limit || ' attempts.' END
  FROM unnest(v_ids, v_user_ids) AS lapsed (id, user_id)
  JOIN mockupd.mockup_jobs AS j ON j.mockup_id = lapsed.id AND j.user_id = lapsed.user_id
  WHERE m.id = lapsed.id AND m.user_id = lapsed.user_id AND m.status = 'generating';

  UPDATE mockupd.mockup_jobs AS j
  SET state = CASE WHEN j.round_attempts < j.attempt_limit THEN 'queued' ELSE 'done' END,
    lease_expires_at = NULL, outcome = 'lapsed', may_be_charged = true
  FROM unnest(v_ids, v_user_ids) AS lapsed (id, user_id)
  WHERE j.mockup_id = lapsed.id AND j.user_id = lapsed.user_id;

  RETURN cardinality(v_ids);
END
$$;

-- Leases the oldest pending mockups of all users, p_count at most, for p_lease seconds: a row for
-- each, in no particular order. This is the one statement that does not name a user.
--
-- Their rows are p_bytes long at most together, as text: what is leased has to fit into an answer. The
-- oldest is claimed however long it is.
--
-- A mockup whose reservation is no longer open (it expired while nobody claimed it, or was settled by
-- hand) fails, with the reason, and is not returned.
CREATE FUNCTION mockupd.claim_mockups(
  p_now timestamptz, p_worker text, p_count integer, p_lease integer, p_bytes integer
) RETURNS TABLE (
  mockup public.mockups,
  job mockupd.mockup_jobs,
  credits integer,
  dm_template_id text,
  dm_template_url text
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_ids uuid[];
  v_user_ids uuid[];
  v_reservation_ids uuid[];
  v_reasons text[];
BEGIN
  SELECT
    array_agg(oldest.mockup_id ORDER BY oldest.requested_at, oldest.mockup_id),
    array_agg(oldest.user_id ORDER BY oldest.requested_at, oldest.mockup_id),
    array_agg(oldest.reservation_id ORDER BY oldest.requested_at, oldest.mockup_id)
  INTO v_ids, v_user_ids, v_reservation_ids
  FROM (
    SELECT j.mockup_id, j.user_id, j.reservation_id, j.requested_at FROM mockupd.mockup_jobs AS j
    JOIN public.mockups AS m ON m.id = j.mockup_id AND m.user_id = j.user_id
    WHERE j.state = 'queued' AND m.status = 'pending'
    ORDER BY j.requested_at, j.mockup_id
    LIMIT p_count
    FOR UPDATE OF j SKIP LOCKED
  ) AS oldest;
  IF v_ids IS NULL THEN
    RETURN;
  END IF;

  -- The others stay as they are.
  SELECT array_agg(i.id ORDER BY i.ordinal), array_agg(i.user_id ORDER BY i.ordinal),
    array_agg(i.reservation_id ORDER BY i.ordinal)
  INTO v_ids, v_user_ids, v_reservation_ids
  FROM (
    SELECT i.*,
      sum(octet_length(m::text) + octet_length(concat(t.dm_template_id, t.dm_template_url)))
        OVER (ORDER BY i.ordinal) AS bytes
    FROM unnest(v_ids, v_user_ids, v_reservation_ids) WITH ORDINALITY
      AS i (id, user_id, reservation_id, ordinal)
    JOIN public.mockups AS m ON m.id = i.id AND m.user_id = i.user_id
    LEFT JOIN LATERAL mockupd.resolved_scene(i.user_id, m.scene) AS t ON true
  ) AS i
  WHERE i.ordinal = 1 OR i.bytes <= p_bytes;

  -- Why it cannot be claimed, null where it can.
  SELECT array_agg(
    CASE WHEN s.outcome <> 'settled' THEN
      CASE (s.reservation).state
        WHEN 'expired' THEN 'The credits that were set aside for it expired before it was made.'
        ELSE 'The credits that were set aside for it are '
          || coalesce((s.reservation).state, 'gone') || '.'
      END
    END
    ORDER BY s.ordinal)
  INTO v_reasons
  FROM mockupd.settle(
    p_now, v_user_ids, v_reservation_ids,
    array_fill('dispatch'::text, ARRAY[cardinality(v_ids)]),
    array_fill(NULL::uuid, ARRAY[cardinality(v_ids)]),
    array_fill(NULL::integer, ARRAY[cardinality(v_ids)]),
    array_fill(NULL::boolean, ARRAY[cardinality(v_ids)]),
    array_fill(NULL::boolean, ARRAY[cardinality(v_ids)]),
    array_fill(NULL::integer, ARRAY[cardinality(v_ids)]),
    array_fill(NULL::uuid, ARRAY[cardinality(v_ids)])) AS s;

  PERFORM FROM public.mockups AS m
  WHERE m.id = ANY (v_ids) AND m.user_id = ANY (v_user_ids)
  ORDER BY m.id
  FOR NO KEY UPDATE;

  UPDATE public.mockups AS m
  SET status = CASE WHEN c.reason IS NULL THEN 'generating' ELSE 'failed' END,
    error_message = c.reason
  FROM unnest(v_ids, v_user_ids, v_reasons) AS c (id, user_id, reason)
  WHERE m.id = c.id AND m.user_id = c.user_id AND m.status = 'pending';

  UPDATE mockupd.mockup_jobs AS j
  SET state = CASE WHEN m.status = 'generating' THEN 'leased' ELSE 'done' END,
    attempt = j.attempt + (m.status = 'generating')::integer,
    round_attempts = j.round_attempts + (m.status = 'generating')::integer,
    worker = p_worker,
    lease_expires_at =
      CASE WHEN m.status = 'generating' THEN p_now + make_interval(secs => p_lease) END,
    -- Of a mockup that this claim fails, the last attempt may still be reported again.
    outcome = CASE WHEN m.status <> 'generating' THEN j.outcome END,
    outcome_credits = CASE WHEN m.status <> 'generating' THEN j.outcome_credits END,
    outcome_allow_overrun = CASE WHEN m.status <> 'generating' THEN j.outcome_allow_overrun END,
    outcome_error = CASE WHEN m.status <> 'generating' THEN j.outcome_error END,
    outcome_may_be_charged = CASE WHEN m.status <> 'generating' THEN j.outcome_may_be_charged END
  FROM public.mockups AS m
  WHERE j.mockup_id = ANY (v_ids) AND j.user_id = ANY (v_user_ids)
    AND m.id = j.mockup_id AND m.user_id = j.user_id;

  RETURN QUERY
  SELECT m, j, r.held, t.dm_template_id::text, t.dm_template_url::text
  FROM mockupd.mockup_jobs AS j
  JOIN public.mockups AS m ON m.id = j.mockup_id AND m.user_id = j.user_id
  JOIN mockupd.reservations AS r ON r.user_id = j.user_id AND r.id = j.reservation_id
  LEFT JOIN LATERAL mockupd.resolved_scene(j.user_id, m.scene) AS t ON true
  WHERE j.mockup_id = ANY (v_ids) AND j.user_id = ANY (v_user_ids) AND j.state = 'leased';
END
$$;

-- Renews a lease, also one that has lapsed, as long as nobody took it back.
--
--   renewed
--   not_found              the user has no such mockup
--   lost                   it was claimed again since
--   wrong_state            its status is no longer generating
CREATE FUNCTION mockupd.heartbeat_mockup(
  p_now timestamptz, p_user_id uuid, p_mockup_id uuid, p_attempt integer, p_lease integer
) RETURNS TABLE (outcome text, mockup public.mockups, job mockupd.mockup_jobs)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_expires_at timestamptz;
BEGIN
  SELECT j.* INTO job FROM mockupd.mockup_jobs AS j
  WHERE j.mockup_id = p_mockup_id AND j.user_id = p_user_id
  FOR UPDATE;
  SELECT m.* INTO mockup FROM public.mockups AS m
  WHERE m.id = p_mockup_id AND m.user_id = p_user_id;

  outcome := CASE
    WHEN mockup.id IS NULL THEN 'not_found'
    WHEN job.attempt IS DISTINCT FROM p_attempt THEN 'lost'
    WHEN job.state <> 'leased' OR mockup.status <> 'generating' THEN 'wrong_state'
    ELSE 'renewed'
  END;
  IF outcome = 'renewed' THEN
    -- What is being made is not for an admin to resolve: the reservation outlasts the lease.
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

-- Complete and fail -------------------------------------------------------------------------------

-- Completes a mockup, and charges p_credits (null: all that is set aside; 0: nothing, which releases)
-- under its reservation's id, with the ledger's row p_entry_id.
--
--   completed              with the usage after it; replayed where the attempt was completed so before
--   conflicting_FIELD      the attempt was completed with another FIELD
--   not_found              the user has no such mockup
--   lost                   it was claimed again since
--   wrong_state            its status is no longer generating
--   invalid_metadata       it is no JSON object, or one that PostgreSQL cannot store, or stores as more
--                          than 256 KiB of text: 1e100000 is a hundred thousand digits then
--   not_open, exceeds_held, insufficient, exceeds_maximum
--                          as mockupd.settle says of the reservation
--
-- Where it is not completed, nothing changes.
CREATE FUNCTION mockupd.complete_mockup(
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

  -- A request that was sent before is answered by the books as it was then.
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
  -- Replayed: it was committed under its own id by somebody else, whose answer that is.
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

-- Makes a dispatched reservation unresolved at once: only an administrator is going to settle it.
CREATE FUNCTION mockupd.leave_unresolved(p_now timestamptz, p_user_id uuid, p_id uuid)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
DECLARE
  v_year integer;
BEGIN
  SELECT r.year INTO v_year FROM mockupd.reservations AS r
  WHERE r.user_id = p_user_id AND r.id = p_id;
  PERFORM FROM mockupd.credit_counters AS c
  WHERE c.user_id = p_user_id AND c.year = v_year
  FOR NO KEY UPDATE;
  UPDATE mockupd.reservations AS r SET expires_at = least(r.expires_at, p_now)
  WHERE r.user_id = p_user_id AND r.id = p_id AND r.state = 'dispatched';
  PERFORM mockupd.expire_due(p_now, ARRAY[p_user_id], ARRAY[v_year]);
END
$$;

-- Ends an attempt without a picture. With p_may_retry the mockup is pending again while it has
-- attempts left, and its reservation is held again until the next claim: if it expires first, its
-- credits are free, and the claim fails the mockup. Else the mockup fails, and the reservation is
-- released where it is still open.
--
-- The vendor may have charged for the attempt (p_may_be_charged), or for an earlier one of the round
-- that ended without a report. The credits are then not released: the reservation stays dispatched for
-- the next attempt, or is left unresolved where the mockup fails.
--
--   failed                 with the usage after it; replayed where the attempt was ended so before
--   conflicting_FIELD      the attempt was ended with another FIELD
--   not_found, lost, wrong_state
--                          as of mockupd.complete_mockup
CREATE FUNCTION mockupd.fail_mockup(
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
    -- One statement: where nothing is locked, both are of one moment all the same.
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

-- Review and delete -------------------------------------------------------------------------------

-- Approves or rejects a completed mockup.
--
--   reviewed               also where it was so before, whose reason stays
--   not_found              the user has no such mockup
--   wrong_state            its status forbids it
CREATE FUNCTION mockupd.review_mockup(
  p_user_id uuid, p_mockup_id uuid, p_status text, p_reason text
) RETURNS TABLE (outcome text, mockup public.mockups, job mockupd.mockup_jobs)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
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

-- Deletes a mockup and says whether it was there, and how many credits its reservation gave back: what
-- is held. What was dispatched may have been charged, and stays until it is settled.
CREATE FUNCTION mockupd.delete_mockup(p_now timestamptz, p_user_id uuid, p_mockup_id uuid)
RETURNS TABLE (deleted boolean, released integer)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_job mockupd.mockup_jobs;
  v_reservation mockupd.reservations;
BEGIN
  SELECT j.* INTO v_job FROM mockupd.mockup_jobs AS j
  WHERE j.mockup_id = p_mockup_id AND j.user_id = p_user_id
  FOR UPDATE;

  released := 0;
  SELECT r.* INTO v_reservation FROM mockupd.reservations AS r
  WHERE r.user_id = p_user_id AND r.id = v_job.reservation_id;
  IF v_reservation.state = 'held' THEN
    -- Of what was dispatched or has expired meanwhile nothing is given back.
    PERFORM FROM mockupd.credit_counters AS c
    WHERE c.user_id = p_user_id AND c.year = v_reservation.year
    FOR NO KEY UPDATE;
    SELECT r.* INTO v_reservation FROM mockupd.reservations AS r
    WHERE r.user_id = p_user_id AND r.id = v_job.reservation_id;
    IF v_reservation.state = 'held' THEN
      SELECT coalesce(sum(v_reservation.held), 0) INTO released
      FROM mockupd.settle(
        p_now, ARRAY[p_user_id], ARRAY[v_reservation.id], ARRAY['release'], ARRAY[NULL::uuid],
        ARRAY[NULL::integer], ARRAY[NULL::boolean], ARRAY[NULL::boolean], ARRAY[NULL::integer],
        ARRAY[NULL::uuid]) AS s
      WHERE s.outcome = 'settled';
    END IF;
  END IF;

  DELETE FROM public.mockups AS m WHERE m.id = p_mockup_id AND m.user_id = p_user_id;
  deleted := FOUND;
  RETURN NEXT;
END
$$;

REVOKE EXECUTE ON FUNCTION
  mockupd.resolved_scene(uuid, text),
  mockupd.leave_unresolved(timestamptz, uuid, uuid),
  mockupd.generate_mockups(timestamptz, uuid, uuid, uuid[], text[], boolean, uuid, integer, integer,
    uuid[], uuid[]),
  mockupd.regenerate_mockup(timestamptz, uuid, uuid, uuid, boolean, integer, integer, uuid),
  mockupd.expire_leases(timestamptz, integer),
  mockupd.claim_mockups(timestamptz, text, integer, integer, integer),
  mockupd.heartbeat_mockup(timestamptz, uuid, uuid, integer, integer),
  mockupd.complete_mockup(timestamptz, uuid, uuid, integer, text, text, text, text, text,
    double precision, integer, boolean, uuid),
  mockupd.fail_mockup(timestamptz, uuid, uuid, integer, text, boolean, boolean),
  mockupd.review_mockup(uuid, uuid, text, text),
  mockupd.delete_mockup(timestamptz, uuid, uuid)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  mockupd.generate_mockups(timestamptz, uuid, uuid, uuid[], text[], boolean, uuid, integer, integer,
    uuid[], uuid[]),
  mockupd.regenerate_mockup(timestamptz, uuid, uuid, uuid, boolean, integer, integer, uuid),
  mockupd.expire_leases(timestamptz, integer),
  mockupd.claim_mockups(timestamptz, text, integer, integer, integer),
  mockupd.heartbeat_mockup(timestamptz, uuid, uuid, integer, integer),
  mockupd.complete_mockup(timestamptz, uuid, uuid, integer, text, text, text, text, text,
    double precision, integer, boolean, uuid),
  mockupd.fail_mockup(timestamptz, uuid, uuid, integer, text, boolean, boolean),
  mockupd.review_mockup(uuid, uuid, text, text),
  mockupd.delete_mockup(timestamptz, uuid, uuid)
TO mockupd_service;

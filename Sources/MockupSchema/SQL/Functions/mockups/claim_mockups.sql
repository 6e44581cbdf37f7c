-- Leases the oldest pending mockups of all users, at most p_count, for p_lease seconds. Returns a
-- row for each, in no particular order. Of the functions for a mockup's life cycle, only this one
-- and expire_leases take no user.
--
-- The total size of the rows as text is at most p_bytes, since they must fit into one response. The
-- oldest mockup is claimed whatever its size is.
--
-- A mockup whose reservation is no longer open fails, with the reason, and is not returned. The
-- reservation may have expired before a worker claimed the mockup, or may have been settled by
-- another call.
--
-- Waits for the counters of the users, which another session may have locked. If p_skip_locked is
-- true, it leaves out the mockups of such users instead.
--
-- A proxy database passes the call on to the partition p_partition.
CREATE OR REPLACE FUNCTION mockupd.claim_mockups(
  p_now timestamptz, p_worker text, p_count integer, p_lease integer, p_bytes integer,
  p_skip_locked boolean, p_partition integer DEFAULT 0
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
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_ids uuid[];
  v_user_ids uuid[];
  v_reservation_ids uuid[];
  v_reasons text[];
  v_users uuid[];
  v_found uuid[];
  v_locked_users uuid[] := '{}';
BEGIN
  -- The counters of the users that are found free are locked. Therefore only those of the oldest
  -- mockups are looked at, and only the mockups of these users are claimed.
  WHILE p_skip_locked LOOP
    v_users := ARRAY(
      SELECT j.user_id FROM mockupd.mockup_jobs AS j
      JOIN public.mockups AS m ON m.id = j.mockup_id AND m.user_id = j.user_id
      WHERE j.state = 'queued' AND m.status = 'pending' AND j.user_id <> ALL (v_locked_users)
      ORDER BY j.requested_at, j.mockup_id
      LIMIT p_count);
    v_found := ARRAY(SELECT l.user_id FROM mockupd.locked_users(v_users) AS l);
    EXIT WHEN v_found = '{}';
    v_locked_users := v_locked_users || v_found;
  END LOOP;

  SELECT
    array_agg(oldest.mockup_id ORDER BY oldest.requested_at, oldest.mockup_id),
    array_agg(oldest.user_id ORDER BY oldest.requested_at, oldest.mockup_id),
    array_agg(oldest.reservation_id ORDER BY oldest.requested_at, oldest.mockup_id)
  INTO v_ids, v_user_ids, v_reservation_ids
  FROM (
    SELECT j.mockup_id, j.user_id, j.reservation_id, j.requested_at FROM mockupd.mockup_jobs AS j
    JOIN public.mockups AS m ON m.id = j.mockup_id AND m.user_id = j.user_id
    WHERE j.state = 'queued' AND m.status = 'pending'
      AND (NOT p_skip_locked OR j.user_id = ANY (v_users))
    ORDER BY j.requested_at, j.mockup_id
    LIMIT p_count
    FOR UPDATE OF j SKIP LOCKED
  ) AS oldest;
  IF v_ids IS NULL THEN
    RETURN;
  END IF;

  -- Leaves out the mockups that would exceed p_bytes. They stay queued.
  SELECT array_agg(i.id ORDER BY i.ordinal), array_agg(i.user_id ORDER BY i.ordinal),
    array_agg(i.reservation_id ORDER BY i.ordinal)
  INTO v_ids, v_user_ids, v_reservation_ids
  FROM (
    SELECT i.*,
      -- With the fields of the response that are not columns of public.mockups: 128 bytes.
      sum(octet_length(m::text) + octet_length(concat(t.dm_template_id, t.dm_template_url)) + 128)
        OVER (ORDER BY i.ordinal) AS bytes
    FROM unnest(v_ids, v_user_ids, v_reservation_ids) WITH ORDINALITY
      AS i (id, user_id, reservation_id, ordinal)
    JOIN public.mockups AS m ON m.id = i.id AND m.user_id = i.user_id
    LEFT JOIN LATERAL mockupd.resolved_scene(i.user_id, m.scene) AS t ON true
  ) AS i
  WHERE i.ordinal = 1 OR i.bytes <= p_bytes;

  -- The reason why each cannot be claimed, or null. A reservation stays open a minute longer than
  -- the lease, so that it is not resolved during the attempt. The first heartbeat extends it again.
  SELECT array_agg(
    CASE WHEN s.outcome <> 'settled' THEN
      CASE (s.reservation).state
        WHEN 'expired' THEN 'the reservation expired before the mockup was made'
        ELSE 'the reservation is ' || coalesce((s.reservation).state, 'missing')
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
    array_fill(p_lease + 60, ARRAY[cardinality(v_ids)]),
    array_fill(NULL::uuid, ARRAY[cardinality(v_ids)])) AS s;
  -- The lease begins when the locks of the reservations are held.
  p_now := coalesce(p_now, clock_timestamp());

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
    -- If this claim fails the mockup, the worker of the last attempt may still retry its report.
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

REVOKE ALL ON FUNCTION mockupd.claim_mockups
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.claim_mockups TO mockupd_service;

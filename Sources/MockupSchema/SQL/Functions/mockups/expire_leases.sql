-- Ends expired leases: their mockups become pending again, or fail if no attempts are left. Ends at
-- most p_limit leases, skips those that another session has locked, and returns their number.
--
-- The vendor may have charged for an attempt whose worker does not report. So the reservation stays
-- dispatched, even if a later attempt fails without a charge. It becomes unresolved when it
-- expires, and an administrator settles it.
--
-- A proxy database passes the call on to the partition p_partition.
CREATE OR REPLACE FUNCTION mockupd.expire_leases(
  p_now timestamptz, p_limit integer, p_partition integer DEFAULT 0
) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  v_ids uuid[];
  v_user_ids uuid[];
BEGIN
  p_now := coalesce(p_now, clock_timestamp());
  SELECT array_agg(expired.mockup_id), array_agg(expired.user_id) INTO v_ids, v_user_ids
  FROM (
    SELECT j.mockup_id, j.user_id FROM mockupd.mockup_jobs AS j
    JOIN public.mockups AS m ON m.id = j.mockup_id AND m.user_id = j.user_id
    WHERE j.state = 'leased' AND j.lease_expires_at <= p_now
    ORDER BY j.lease_expires_at
    LIMIT p_limit
    FOR UPDATE OF j SKIP LOCKED
    FOR NO KEY UPDATE OF m SKIP LOCKED
  ) AS expired;
  IF v_ids IS NULL THEN
    RETURN 0;
  END IF;

  UPDATE public.mockups AS m
  SET
    status = CASE WHEN j.round_attempts < j.attempt_limit THEN 'pending' ELSE 'failed' END,
    error_message = CASE WHEN j.round_attempts < j.attempt_limit THEN NULL
      ELSE 'no worker finished the mockup in ' || j.attempt_limit || ' attempts' END
  FROM unnest(v_ids, v_user_ids) AS expired (id, user_id)
  JOIN mockupd.mockup_jobs AS j ON j.mockup_id = expired.id AND j.user_id = expired.user_id
  WHERE m.id = expired.id AND m.user_id = expired.user_id AND m.status = 'generating';

  -- Another program may have given the mockup another status.
  UPDATE mockupd.mockup_jobs AS j
  SET state = CASE WHEN m.status = 'pending' THEN 'queued' ELSE 'done' END,
    lease_expires_at = NULL, outcome = 'lapsed', may_be_charged = true
  FROM unnest(v_ids, v_user_ids) AS expired (id, user_id)
  JOIN public.mockups AS m ON m.id = expired.id AND m.user_id = expired.user_id
  WHERE j.mockup_id = expired.id AND j.user_id = expired.user_id;

  RETURN cardinality(v_ids);
END
$$;

REVOKE ALL ON FUNCTION mockupd.expire_leases
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.expire_leases TO mockupd_service;

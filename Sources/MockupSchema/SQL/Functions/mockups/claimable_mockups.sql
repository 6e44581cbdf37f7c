-- Returns the times at which the mockups were requested that a claim would lease.
CREATE OR REPLACE FUNCTION mockupd.claimable_mockups(p_now timestamptz)
RETURNS TABLE (requested_at timestamptz)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT j.requested_at
  FROM mockupd.mockup_jobs AS j
  JOIN public.mockups AS m ON m.id = j.mockup_id AND m.user_id = j.user_id
  JOIN mockupd.reservations AS r ON r.user_id = j.user_id AND r.id = j.reservation_id
  WHERE j.state = 'queued' AND m.status = 'pending'
    AND r.state IN ('held', 'dispatched') AND r.expires_at > p_now
$$;

REVOKE ALL ON FUNCTION mockupd.claimable_mockups
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

-- Returns the amount of work that waits, over all users: the number of reservations that an
-- administrator must resolve, and of mockups that a claim would lease.
CREATE OR REPLACE FUNCTION mockupd.waiting(p_now timestamptz)
RETURNS TABLE (unresolved_reservations bigint, pending_mockups bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT
    (SELECT coalesce(sum(c.unresolved), 0)::bigint
      FROM mockupd.credit_counters AS c WHERE c.unresolved > 0)
      + (SELECT count(*)
        FROM mockupd.credit_counters AS c
        CROSS JOIN LATERAL mockupd.open_reservations(c.user_id, c.year, c.open) AS r
        WHERE c.due_at <= p_now AND c.open > 0 AND r.state = 'dispatched'
          AND r.expires_at <= p_now),
    (SELECT count(*) FROM mockupd.claimable_mockups(p_now))
$$;

REVOKE ALL ON FUNCTION mockupd.waiting
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

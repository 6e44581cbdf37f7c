-- Makes a dispatched reservation unresolved at once, before it expires, so that an administrator
-- can resolve it. Does nothing to a reservation in another state.
CREATE OR REPLACE FUNCTION mockupd.leave_unresolved(p_now timestamptz, p_user_id uuid, p_id uuid)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  v_reservation mockupd.reservations := mockupd.lock_reservation(p_now, p_user_id, p_id);
BEGIN
  p_now := coalesce(p_now, clock_timestamp());
  IF v_reservation.state = 'dispatched' THEN
    UPDATE mockupd.reservations AS r SET expires_at = p_now
    WHERE r.user_id = p_user_id AND r.id = p_id;
    PERFORM mockupd.expire_due(p_now, ARRAY[p_user_id], ARRAY[v_reservation.year]);
  END IF;
END
$$;

REVOKE ALL ON FUNCTION mockupd.leave_unresolved
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

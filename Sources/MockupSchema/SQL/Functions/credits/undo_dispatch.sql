-- Makes a dispatched or unresolved reservation held again, because the vendor has not charged. If
-- its time to live has passed, it expires, and its credits are available. Does nothing to a
-- reservation in another state.
CREATE OR REPLACE FUNCTION mockupd.undo_dispatch(p_now timestamptz, p_user_id uuid, p_id uuid)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  v_reservation mockupd.reservations;
BEGIN
  v_reservation := mockupd.lock_reservation(p_now, p_user_id, p_id);
  p_now := coalesce(p_now, clock_timestamp());
  IF v_reservation.state IN ('dispatched', 'unresolved') THEN
    UPDATE mockupd.reservations AS r SET state = 'held', dispatched_at = NULL
    WHERE r.user_id = p_user_id AND r.id = p_id;

    UPDATE mockupd.credit_counters AS c
    SET open = c.open + (v_reservation.state = 'unresolved')::integer,
      unresolved = c.unresolved - (v_reservation.state = 'unresolved')::integer,
      due_at = least(c.due_at, v_reservation.expires_at)
    WHERE c.user_id = p_user_id AND c.year = v_reservation.year;

    IF v_reservation.expires_at <= p_now THEN
      PERFORM mockupd.expire_due(p_now, ARRAY[p_user_id], ARRAY[v_reservation.year]);
    END IF;
  END IF;
END
$$;

REVOKE ALL ON FUNCTION mockupd.undo_dispatch
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

-- Locks the counters of a reservation's year, and returns the reservation in its state at p_now
-- (null: at the time of the database); null if the user has no such reservation.
CREATE OR REPLACE FUNCTION mockupd.lock_reservation(p_now timestamptz, p_user_id uuid, p_id uuid)
RETURNS mockupd.reservations
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  v_year integer;
  v_reservation mockupd.reservations;
BEGIN
  -- The year never changes, so it can be read before the lock. A reservation that is made after
  -- this read counts as unknown, since its counters are not locked.
  SELECT r.year INTO v_year FROM mockupd.reservations AS r
  WHERE r.user_id = p_user_id AND r.id = p_id;
  IF v_year IS NOT NULL THEN
    PERFORM mockupd.lock_counters(p_now, ARRAY[p_user_id], ARRAY[v_year]);
    SELECT r.* INTO v_reservation FROM mockupd.reservations AS r
    WHERE r.user_id = p_user_id AND r.id = p_id;
  END IF;
  RETURN v_reservation;
END
$$;

REVOKE ALL ON FUNCTION mockupd.lock_reservation
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

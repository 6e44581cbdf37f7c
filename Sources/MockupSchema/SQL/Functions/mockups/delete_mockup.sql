-- Deletes a mockup, and releases its reservation if it is held. Returns whether the mockup existed,
-- and the number of credits that were released. A dispatched reservation may have been charged, and
-- stays open until it is settled.
CREATE OR REPLACE FUNCTION mockupd.delete_mockup(
  p_now timestamptz, p_user_id uuid, p_mockup_id uuid
) RETURNS TABLE (deleted boolean, released integer)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
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
  -- Nothing is released if the reservation was dispatched, or has expired meanwhile.
  v_reservation := mockupd.lock_reservation(p_now, p_user_id, v_job.reservation_id);
  IF v_reservation.state = 'held' THEN
    SELECT coalesce(sum(v_reservation.held), 0) INTO released
    FROM mockupd.settle(
      p_now, ARRAY[p_user_id], ARRAY[v_reservation.id], ARRAY['release'],
      '{}', '{}', '{}', '{}', '{}', '{}') AS s
    WHERE s.outcome = 'settled';
  END IF;

  DELETE FROM public.mockups AS m WHERE m.id = p_mockup_id AND m.user_id = p_user_id;
  deleted := FOUND;
  IF NOT deleted THEN
    -- An earlier attempt of this call may have deleted it.
    PERFORM mockupd.wait_for_replication();
  END IF;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION mockupd.delete_mockup
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.delete_mockup TO mockupd_service;

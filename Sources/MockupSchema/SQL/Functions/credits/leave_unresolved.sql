-- Makes a dispatched reservation unresolved at once, so that only an administrator can settle it.
CREATE OR REPLACE FUNCTION mockupd.leave_unresolved(p_now timestamptz, p_user_id uuid, p_id uuid)
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

REVOKE ALL ON FUNCTION mockupd.leave_unresolved
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

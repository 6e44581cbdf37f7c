-- Returns a user's reservation in its state at p_now (null: at the time of the database); no row if
-- there is none with the id.
CREATE OR REPLACE FUNCTION mockupd.get_reservation(p_now timestamptz, p_user_id uuid, p_id uuid)
RETURNS SETOF mockupd.reservations
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
  RETURN QUERY
  SELECT r.*
  FROM mockupd.reservations AS row
  CROSS JOIN LATERAL mockupd.as_of(row, coalesce(p_now, now())) AS r
  WHERE row.user_id = p_user_id AND row.id = p_id;
END
$$;

REVOKE ALL ON FUNCTION mockupd.get_reservation
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.get_reservation TO mockupd_service;

-- Fails with serialization_failure if p_now, the time at which counters were locked, is not in
-- p_year, the year whose counters they are: the year has changed while the session waited for the
-- locks. The caller runs the statement again, in the new year.
CREATE OR REPLACE FUNCTION mockupd.require_year(p_now timestamptz, p_year integer)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF extract(year FROM p_now AT TIME ZONE 'UTC') <> p_year THEN
    RAISE EXCEPTION 'the year changed while the session waited for a lock'
      USING ERRCODE = 'serialization_failure';
  END IF;
END
$$;

REVOKE ALL ON FUNCTION mockupd.require_year
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

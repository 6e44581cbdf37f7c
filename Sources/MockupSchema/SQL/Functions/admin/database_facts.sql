-- Returns the versions of the schema and of PostgreSQL, the amount of work that waits at p_now
-- (null: at the time of the database), and this time.
CREATE OR REPLACE FUNCTION mockupd.database_facts(p_now timestamptz)
RETURNS TABLE (
  schema_version integer,
  database_version text,
  unresolved_reservations bigint,
  pending_mockups bigint,
  read_at timestamptz
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  read_at := coalesce(p_now, now());
  database_version := version();
  SELECT max(m.version)::integer INTO schema_version FROM mockupd.schema_migrations AS m;
  SELECT w.unresolved_reservations, w.pending_mockups INTO unresolved_reservations, pending_mockups
  FROM mockupd.waiting(read_at) AS w;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION mockupd.database_facts
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.database_facts TO mockupd_service;

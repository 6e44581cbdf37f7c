-- Returns the partitions of a proxy database, in order, each with a connection string of the
-- server's login. A database that is not divided has none. A proxy has another function of this
-- name (proxy_functions.sql).
CREATE OR REPLACE FUNCTION mockupd.partitions()
RETURNS TABLE (number integer, url text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT NULL::integer, NULL::text WHERE false $$;

REVOKE ALL ON FUNCTION mockupd.partitions
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.partitions TO mockupd_service;

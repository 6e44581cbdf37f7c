-- Returns the monthly soft limit of users who have none in their settings.
CREATE OR REPLACE FUNCTION mockupd.default_soft_limit()
RETURNS integer
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 292
$$;

REVOKE ALL ON FUNCTION mockupd.default_soft_limit
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

-- Returns the annual budget of users who have none in their settings. The function is immutable and
-- has no parameters, so PostgreSQL replaces the call by its result when it plans a statement.
CREATE OR REPLACE FUNCTION mockupd.default_annual_budget()
RETURNS integer
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 3500
$$;

REVOKE ALL ON FUNCTION mockupd.default_annual_budget
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

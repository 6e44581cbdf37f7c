-- Returns the thresholds of alerts, in percent of a budget or a soft limit, in ascending order.
--
-- The counters have the number of thresholds that a user's credits have reached:
-- width_bucket(100 * credits / limit, thresholds), where a limit of 0 counts as 1. The statements
-- that change counters contain this expression. A function would be called for each row, since
-- PostgreSQL does not inline functions that set a search path.
--
-- This function is not called for each row: it is immutable and has no parameters, so PostgreSQL
-- replaces the call by its result when it plans a statement.
CREATE OR REPLACE FUNCTION mockupd.alert_thresholds()
RETURNS double precision[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT '{50, 80, 90, 100}'::double precision[]
$$;

REVOKE ALL ON FUNCTION mockupd.alert_thresholds
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

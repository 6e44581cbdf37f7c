-- Returns the credits that a new reservation may take: budget - used - held. Negative if the budget
-- was lowered below what is used and held.
CREATE OR REPLACE FUNCTION mockupd.available(p_usage mockupd.usage)
RETURNS bigint
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN p_usage.annual_budget
    - (p_usage.generation + p_usage.regeneration - p_usage.refund) - p_usage.held;
END
$$;

REVOKE ALL ON FUNCTION mockupd.available
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

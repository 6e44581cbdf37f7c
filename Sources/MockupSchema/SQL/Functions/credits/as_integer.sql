-- Clamps a sum to integer. The engine computes sums as bigint, but the ledger's balances and the
-- results of the public functions are integer.
CREATE OR REPLACE FUNCTION mockupd.as_integer(p_value bigint)
RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN least(greatest(p_value, -2147483648), 2147483647);
END
$$;

REVOKE ALL ON FUNCTION mockupd.as_integer
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

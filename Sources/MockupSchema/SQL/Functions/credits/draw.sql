-- The transition function of mockupd.drawn(): adds the credits that one more request draws.
CREATE OR REPLACE FUNCTION mockupd.draw(
  p_drawn bigint, p_available bigint, p_credits bigint, p_best_effort boolean
) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN p_drawn + CASE
    WHEN p_credits <= 0 OR p_credits <= p_available - p_drawn THEN p_credits
    WHEN p_best_effort THEN greatest(p_available - p_drawn, 0)
    ELSE 0
  END;
END
$$;

REVOKE ALL ON FUNCTION mockupd.draw
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;

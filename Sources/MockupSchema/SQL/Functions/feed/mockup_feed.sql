-- Returns whether a user exists, and the last revision of the user's feed (0 if nothing ever
-- changed).
CREATE OR REPLACE FUNCTION mockupd.mockup_feed(p_user_id uuid)
RETURNS TABLE (is_known boolean, revision bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT mockupd.user_exists(p_user_id),
    coalesce((SELECT f.revision FROM mockupd.mockup_feeds AS f WHERE f.user_id = p_user_id), 0);
END
$$;

REVOKE ALL ON FUNCTION mockupd.mockup_feed
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.mockup_feed TO mockupd_service;

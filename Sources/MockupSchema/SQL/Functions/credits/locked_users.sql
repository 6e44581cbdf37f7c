-- Returns those of p_user_ids whose counters, of any year, another session has locked. Never waits.
--
-- Locks the counters of the other users until the transaction ends.
CREATE OR REPLACE FUNCTION mockupd.locked_users(p_user_ids uuid[])
RETURNS TABLE (user_id uuid)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_generic_plan'
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH free AS MATERIALIZED (
    SELECT c.user_id, c.year FROM mockupd.credit_counters AS c
    WHERE c.user_id = ANY (p_user_ids)
    FOR NO KEY UPDATE SKIP LOCKED
  )
  SELECT DISTINCT c.user_id FROM mockupd.credit_counters AS c
  WHERE c.user_id = ANY (p_user_ids) AND (c.user_id, c.year) NOT IN (SELECT * FROM free);
END
$$;

REVOKE ALL ON FUNCTION mockupd.locked_users
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.locked_users TO mockupd_service;

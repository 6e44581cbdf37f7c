-- Returns the changes of a user's mockups after a revision, in order, with the current mockup of
-- each change, and its job. A change that deleted a mockup has none.
CREATE OR REPLACE FUNCTION mockupd.list_mockup_changes(
  p_user_id uuid, p_revision bigint, p_limit integer
) RETURNS TABLE (
  revision bigint, mockup_id uuid, mockup public.mockups, job mockupd.mockup_jobs
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT c.revision, c.mockup_id, m, j
  FROM mockupd.mockup_changes AS c
  LEFT JOIN public.mockups AS m ON m.user_id = c.user_id AND m.id = c.mockup_id
  LEFT JOIN mockupd.mockup_jobs AS j ON j.mockup_id = m.id AND j.user_id = m.user_id
  WHERE c.user_id = p_user_id AND c.revision > p_revision
  ORDER BY c.revision
  LIMIT p_limit;
END
$$;

REVOKE ALL ON FUNCTION mockupd.list_mockup_changes
  FROM PUBLIC, anon, authenticated, service_role, mockupd_service;
GRANT EXECUTE ON FUNCTION mockupd.list_mockup_changes TO mockupd_service;
